"""Words that say what the number beside them is, in the languages whose numbers we know.

The last telling word before a number counts: in `phone order 7301284653` that is `order`. Keys count as words,
split at capitals and signs: `homePhone`, `mobile_no`.
"""

from __future__ import annotations

import re

REACH = 40  # characters before a number in which a word speaks about it
_AFTER = 16
_SHARES = 6  # all words in one trigger are too much for the engine of the gate

_PHONE = """
phone phones telephone tel mobile mob cell cellular fax telefax landline pager msisdn handset hotline helpline
call calls called calling dial ring reach sms whatsapp whats viber signal voicemail answering toll switchboard desk
messages contact rufnummer festnetz anrufen anruf ruf durchwahl handy mobil gsm
tél téléc télécopie portable appeler appelez appelle numéro
tfno tlm tlf móvil movil celular llama llame llámame llamar ligue ligar cellulare chiama chiamare bellen mobiel
puhelin puh gsm sími simi komórka kom cep ponsel hp điện thoại тел моб мобильный звоните τηλ κινητό
"""
_PHONE_BEGINS = (
    "phone",
    "telefon",
    "teléfon",
    "telefoon",
    "téléphon",
    "telephon",
    "telepon",
    "mobiln",
    "handynu",
    "телефон",
    "τηλέφων",
)
# Written without spaces between words, or joined to them: found anywhere.
_PHONE_INSIDE = re.compile(
    "电话|電話|手机|手機|携帯|전화|휴대폰|연락처|هاتف|جوال|تلفن|טלפון|נייד|फोन|फ़ोन|मोबाइल|โทร"
)
_OTHER = """
id ids order ticket ref reference invoice account acct case zip postal plz pin code otp serial sku isbn issn ean
gtin upc version amount price total date card ssn iban imei imsi iccid tracking policy passport licence license
vat tax batch lot part model build page pages balance usd eur size bytes timestamp ts time seq offset nonce count
items year years port room channel bestellung auftrag rechnung konto pedido factura commande facture ordine fattura
"""
_phone, _other = frozenset(_PHONE.split()), frozenset(_OTHER.split())
_word = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_FOLLOWS = r"[\s\-(,]{1,3}(?:office|fax|home|work|mobile|mobil|cell|desk|tel|phone|handy)"
_after = re.compile(rf"{_FOLLOWS}\b", re.IGNORECASE)


def words_to_phone(text: str, start: int) -> int:
    """How many words before `start` one speaks of telephones; 0 if none does, or one of other things is nearer."""
    first = max(0, start - REACH)
    first = max(
        first, text.rfind('",', first, start)
    )  # in JSON that is itself a text: the key, not what is before
    for distance, word in enumerate(reversed(_word.findall(text, first, start)), 1):
        low = word.lower()
        if low in _other:
            return 0
        if low in _phone or low.startswith(_PHONE_BEGINS):
            return distance
    return 1 if not text.isascii() and _PHONE_INSIDE.search(text, first, start) else 0


def announced(number: str) -> tuple[str, ...]:
    """Triggers for `number` (a regex) with a word beside it that speaks of telephones."""
    words = [_anywhere(word) for word in sorted({*_phone, *_PHONE_BEGINS})] + [_PHONE_INSIDE.pattern]
    shares = [words[first::_SHARES] for first in range(_SHARES)]
    # a number begins behind a sign or a word: said here, because else every digit of it would be a hit
    between = rf"(?:.{{0,{REACH - 1}}}[^0-9])?"
    before = (rf"(?:{'|'.join(share)}){between}{number}" for share in shares)
    return *before, rf"{number}{_FOLLOWS}"


def _anywhere(word: str) -> str:
    """A regex for `word` in any case; a short one only where it begins, not the `tel` of `hotel`."""
    cased = "".join(char if char.isascii() else f"[{char}{char.upper()}]" for char in word)
    if len(word) > 3 or not word[0].isascii():
        return cased
    return rf"(?:^|[^a-z]){cased}|(?-i:[a-z]{cased[0].upper()}){cased[1:]}"


def phone_follows(text: str, end: int) -> bool:
    """Whether a word directly behind `end` says what telephone that was: `555 0142 (office)`."""
    return _after.match(text, end, min(len(text), end + _AFTER)) is not None
