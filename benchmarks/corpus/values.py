"""Personal values that are well-formed and nobody's: right check digits, real formats, drawn from a seed.

Some values say nothing by themselves. Where nine digits are a social security number, only their key tells, so
they only ever stand under one (`Need.KEY`); a national telephone number, in groups, stands under one or is spoken
of (`Need.WORD`: "call 20 12 01 10"). The others stand anywhere.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers

from benchmarks.corpus.checks import base58, bech32, iban_check, luhn_check
from benchmarks.corpus.ids import ALNUM, UPPER, Ids

FORMATS = phonenumbers.PhoneNumberFormat


class Need(enum.Enum):
    """What a reader needs to recognize a value."""

    NOTHING = 0
    WORD = 1
    KEY = 2


@dataclass(frozen=True, slots=True)
class Value:
    """`text` is an `entity`, written in the way that `form` names."""

    entity: str
    form: str
    text: str
    need: Need = Need.NOTHING


KEYS: dict[str, tuple[str, ...]] = {
    "EMAIL_ADDRESS": ("email", "userEmail", "contact_email", "e-mail", "replyTo", "correo", "mailAddress"),
    "PHONE_NUMBER": (
        "phone",
        "phoneNumber",
        "mobile",
        "contact_phone",
        "tel",
        "cellPhone",
        "telefon",
        "fax-number",
    ),
    "CREDIT_CARD": ("card", "cardNumber", "card_number", "credit-card", "pan", "creditCardNumber", "ccnumber"),
    "IBAN_CODE": ("iban", "bankAccount", "IBAN", "account_iban", "payeeIban"),
    "US_SSN": ("ssn", "socialSecurityNumber", "social_security_number", "userSsn", "SSN"),
    "US_ITIN": ("itin", "taxId", "tax_identification_number", "taxpayerId"),
    "IP_ADDRESS": ("ip", "clientIp", "ip_address", "remoteAddr", "x-forwarded-for", "ipv6", "sourceIP"),
    "MAC_ADDRESS": ("mac", "macAddress", "mac_address", "device-mac", "deviceMac", "bssid"),
    "CRYPTO": ("wallet", "walletAddress", "btc_address", "payoutAddress"),
    "SECRET": ("password", "apiKey", "client_secret", "accessToken", "auth-token", "privateKey", "secretKey"),
}
NEUTRAL = ("value", "data", "v", "note", "field3", "content", "x", "payload", "item", "body", "result", "text")

WORDS = (
    "anna",
    "bela",
    "chidi",
    "dora",
    "emre",
    "farid",
    "gina",
    "hugo",
    "ines",
    "jonas",
    "kofi",
    "li",
    "mara",
    "noor",
)
TAILS = ("kovacs", "smith", "okafor", "novak", "yilmaz", "rossi", "lund", "garcia", "tanaka", "weber", "silva")
HOSTS = ("example.com", "mail.example.co.uk", "example.org", "post.example.de", "acme-shop.example.net", "x.io")


def emails(i: Ids) -> Iterator[Value]:
    """Every form of address that mail software writes."""
    first, last, host = i.choice(WORDS), i.choice(TAILS), i.choice(HOSTS)
    forms = {
        "plain": f"{first}.{last}@{host}",
        "plus": f"{first}+{i.choice(['news', 'shop2', 'a.b'])}@{host}",
        "digits": f"{first}{i.digits(4)}@{host}",
        "number": f"{i.digits(9)}@163.com",
        "apostrophe": f"{first[0]}.o'{last}@{host}",
        "underscore": f"_{first}_{last}-x@{host}",
        "upper": f"{first}.{last}@{host}".upper(),
        "internal": f"{first}@corp.internal",
        "invalid": f"{first}.{last}@example.invalid",
        "localhost": f"{first}@localhost",
        "subdomains": f"{last}@a.b-c.d2.{host}",
        "long tld": f"{first}@{last}.photography",
        "quoted": f'"{first} {last}"@{host}',
        "idn": f"{first}@bücher-{last}.example",
        "unicode": f"jörg.{last}@{host}",
        "script": "用户@例子.广告",
        "punycode": f"{first}@xn--bcher-kva.example",
        "literal": f"{first}@[192.0.2.{i.randrange(1, 255)}]",
    }
    return (Value("EMAIL_ADDRESS", form, text) for form, text in forms.items())


# National (significant) numbers: of ranges kept for fiction where a country has them, else "#" is any digit.
PHONES = {
    "US": ("212555014#", "41555501##", "312867####"),
    "CA": ("613555017#", "416967####"),
    "GB": ("2079460###", "1632960###", "7700900###"),
    "DE": ("30234560##", "1511234####", "89909980##"),
    "FR": ("199005###", "639981###", "465718###"),
    "ES": ("91234####", "61234####"),
    "IT": ("066982####", "312345####"),
    "NL": ("20123####", "612345###"),
    "BE": ("2555####", "47012####"),
    "AT": ("15123####", "664123####"),
    "CH": ("44668####", "78123####"),
    "SE": ("84650####", "70174####"),
    "NO": ("2134####", "4061####"),
    "DK": ("3212####", "2012####"),
    "FI": ("942345###", "41234####"),
    "PL": ("22345####", "51234####"),
    "CZ": ("22123####", "60112####"),
    "HU": ("1234####", "30123####"),
    "PT": ("21234####", "91234####"),
    "IE": ("1234####", "85012####"),
    "IL": ("2123####", "50234####"),
    "IN": ("112345####", "98123#####"),
    "BR": ("112345####", "119612#####"),
    "AU": ("25550####", "49157####"),
    "JP": ("31234####", "901234####"),
    "MX": ("551234####", "811234####"),
}


def phones(i: Ids) -> Iterator[Value]:
    """One valid number of each country, in every form that its people write."""
    for region, ranges in PHONES.items():
        number = _phone(i, region, ranges)
        plain = phonenumbers.format_number(number, FORMATS.E164)
        national = phonenumbers.format_number(number, FORMATS.NATIONAL)
        spaced = phonenumbers.format_number(number, FORMATS.INTERNATIONAL)
        forms = {
            "e164": plain,
            "international": spaced,
            "international-": spaced.replace(" ", "-"),
            "international.": spaced.replace(" ", ".").replace("-", "."),
            "00": "00" + spaced[1:],
            "extension": f"{spaced} ext. {i.digits(3)}",
        }
        for form, text in forms.items():
            yield Value("PHONE_NUMBER", f"{region} {form}", text)
        if any(sign in national for sign in " -()"):
            yield Value("PHONE_NUMBER", f"{region} national", national, Need.WORD)
        yield Value("PHONE_NUMBER", f"{region} digits", "".join(filter(str.isdigit, national)), Need.KEY)


def _phone(i: Ids, region: str, ranges: tuple[str, ...]) -> phonenumbers.PhoneNumber:
    for _ in range(100):
        mask = i.choice(ranges)
        text = "".join(i.choice("0123456789") if sign == "#" else sign for sign in mask)
        country = phonenumbers.country_code_for_region(region)
        number = phonenumbers.parse(f"+{country}{text}")
        if phonenumbers.is_valid_number(number):
            return number
    raise ValueError(f"no valid number in the ranges of {region}")


CARDS = {
    "visa": (("4",), 16),
    "visa 13": (("4",), 13),
    "visa 19": (("4",), 19),
    "mastercard": (("51", "53", "55"), 16),
    "mastercard 2": (("2221", "2500", "2720"), 16),
    "amex": (("34", "37"), 15),
    "diners": (("300", "305", "36", "38"), 14),
    "discover": (("6011", "644", "65"), 16),
    "jcb": (("3528", "3589"), 16),
    "unionpay": (("62",), 16),
    "unionpay 19": (("62",), 19),
    "maestro 12": (("5018", "6304"), 12),
    "maestro": (("5018", "6759"), 16),
    "mir": (("2200", "2204"), 16),
    "rupay": (("6521", "6070"), 16),
    "elo": (("636368", "5067"), 16),
    "troy": (("9792",), 16),
}
GROUPS = {15: (4, 6, 5), 14: (4, 6, 4), 13: (4, 4, 4, 1), 12: (4, 4, 4), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}


def cards(i: Ids) -> Iterator[Value]:
    """One card of each brand, bare and in the groups that are printed on it."""
    for brand, (starts, length) in CARDS.items():
        start = i.choice(starts)
        number = luhn_check(start + i.of("0123456789", length - 1 - len(start)))
        yield Value("CREDIT_CARD", brand, number)
        for sign in " -":
            yield Value("CREDIT_CARD", f"{brand} {sign}", _grouped(number, GROUPS[length], sign))


def _grouped(text: str, sizes: tuple[int, ...], sign: str) -> str:
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    return sign.join(text[start : start + size] for start, size in zip(starts, sizes, strict=True))


# ISO 13616 registry: n digits, a capitals, c either
IBANS = {
    **{"DE": "n18", "GB": "a4n14", "FR": "n10c11n2", "ES": "n20", "IT": "a1n10c12", "NL": "a4n10", "BE": "n12"},
    **{"AT": "n16", "CH": "n5c12", "PL": "n24", "PT": "n21", "SE": "n20", "DK": "n14", "NO": "n11", "FI": "n14"},
    **{"IE": "a4n14", "CZ": "n20", "HU": "n24", "LU": "n3c13", "GR": "n7c16", "RO": "a4c16", "HR": "n17"},
    **{"TR": "n5n1c16", "AE": "n3n16", "SA": "n2c18"},
}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def ibans(i: Ids) -> Iterator[Value]:
    """One account of each country, bare and in groups of four."""
    for country, mask in IBANS.items():
        text = iban_check(country, "".join(_mask(i, mask)))
        yield Value("IBAN_CODE", country, text)
        yield Value("IBAN_CODE", f"{country} groups", " ".join(text[at : at + 4] for at in range(0, len(text), 4)))


def _mask(i: Ids, mask: str) -> Iterator[str]:
    for part in mask.replace("n", " n").replace("a", " a").replace("c", " c").split():
        alphabet = {"n": "0123456789", "a": LETTERS, "c": "0123456789" + LETTERS}[part[0]]
        yield i.of(alphabet, int(part[1:]))


def taxes(i: Ids) -> Iterator[Value]:
    """US social security and taxpayer numbers from ranges that are issued."""
    first, middle, last = str(i.randrange(100, 666)), f"{i.randrange(1, 100):02}", f"{i.randrange(1, 10_000):04}"
    for form, sign in (("-", "-"), (" ", " ")):
        yield Value("US_SSN", form, sign.join((first, middle, last)))
    yield Value("US_SSN", "digits", first + middle + last, Need.KEY)
    first, middle = str(i.randrange(900, 1000)), str(i.choice([*range(70, 89), 90, 91, 92, *range(94, 100)]))
    yield Value("US_ITIN", "-", f"{first}-{middle}-{last}")
    yield Value("US_ITIN", "digits", first + middle + last, Need.KEY)


def addresses(i: Ids) -> Iterator[Value]:
    """IPv4 and IPv6 in every spelling of RFC 4291 section 2.2, and MAC addresses (IEEE 802)."""
    four = f"{i.choice([10, 100, 172, 192, 203])}.{i.randrange(256)}.{i.randrange(256)}.{i.randrange(1, 255)}"
    six = ipaddress.IPv6Address(0x2001_0DB8 << 96 | i.getrandbits(96))
    local = ipaddress.IPv6Address(0xFE80 << 112 | i.getrandbits(64))
    forms = {
        "v4": four,
        "v4 net": f"{four[: four.rindex('.')]}.0/24",
        "v6 full": six.exploded,
        "v6": six.compressed,
    }
    forms |= {"v6 upper": six.compressed.upper(), "v6 local": local.compressed, "v6 mapped": f"::ffff:{four}"}
    forms |= {"v6 short": f"2001:db8::{i.hex(4)}", "v6 net": f"2001:db8:{i.hex(3)}::/48"}
    for form, text in forms.items():
        yield Value("IP_ADDRESS", form, text)
    raw = f"{i.choice('02468ace')}{i.choice('048c')}{i.hex(10)}"
    pairs = [raw[at : at + 2] for at in range(0, 12, 2)]
    yield Value("MAC_ADDRESS", ":", ":".join(pairs))
    yield Value("MAC_ADDRESS", "-", "-".join(pairs).upper())
    yield Value("MAC_ADDRESS", ".", ".".join(raw[at : at + 4] for at in range(0, 12, 4)))
    yield Value("MAC_ADDRESS", "digits", raw, Need.KEY)


def wallets(i: Ids) -> Iterator[Value]:
    """Bitcoin (base58check, BIP 173, BIP 350) and Ethereum."""
    yield Value("CRYPTO", "p2pkh", base58(b"\x00" + i.randbytes(20)))
    yield Value("CRYPTO", "p2sh", base58(b"\x05" + i.randbytes(20)))
    yield Value("CRYPTO", "p2wpkh", bech32("bc", 0, i.randbytes(20)))
    yield Value("CRYPTO", "p2tr", bech32("bc", 1, i.randbytes(32)))
    yield Value("CRYPTO", "ethereum", "0x" + i.hex(40))


def secrets(i: Ids) -> Iterator[Value]:
    """Tokens by their own form, and passwords that only their key gives away. No form is written out here."""
    token = ".".join(("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJzdWIiOiI0MiJ9" + i.short(20), i.short(43)))
    forms = {
        "jwt": token,
        "aws": "AK" + "IA" + i.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        "github": "gh" + "p_" + i.of(ALNUM, 36),
        "slack": "xox" + f"b-{i.digits(12)}-{i.of(ALNUM, 24)}",
        "google": "AI" + "za" + i.of(ALNUM, 35),
        "openai": "sk-" + "proj-" + i.of(ALNUM, 48),
        "stripe": "sk_" + "live_" + i.of(ALNUM, 24),
        "gitlab": "gl" + "pat-" + i.of(ALNUM, 20),
        "pem": f"-----BEGIN PRIVATE KEY-----\n{i.base64(96)}\n-----END PRIVATE KEY-----",
    }
    for form, text in forms.items():
        yield Value("SECRET", form, text)
    yield Value("SECRET", "password", f"{i.choice(TAILS).title()}-{i.digits(3)}{i.choice('!#$%')}x", Need.KEY)
    yield Value("SECRET", "random", i.of(ALNUM, 32), Need.KEY)
    yield Value("SECRET", "code", i.of(UPPER, 20), Need.KEY)


MAKERS: tuple[Callable[[Ids], Iterator[Value]], ...] = (
    emails,
    phones,
    cards,
    ibans,
    taxes,
    addresses,
    wallets,
    secrets,
)
CHECKED = ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "MAC_ADDRESS")
"""The types that have a form or a check digit: for these the goals are highest."""
