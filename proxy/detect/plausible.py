"""Whether a value looks possible for what its key says it is. A key alone is no proof: `"city": "enabled"`.

Pure functions on one trimmed text that is not empty, for proxy/detect/keys.py, which also bounds its length. They
say no to what is surely something else (URLs, ids, enumerations, placeholders), and ask for no more than the key
promises.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from math import log2

Check = Callable[[str], bool]

_LETTER = r"[^\W\d_]"
_WORD = rf"{_LETTER}(?:{_LETTER}|[\u0300-\u036f'\u2019\u02bc.\-]){{0,39}}"
_NAME = re.compile(rf"{_WORD}(?:,? {_WORD}){{0,6}}").fullmatch
_HUMPS = re.compile(r"[a-z][A-Z]").findall
_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}").fullmatch
_LINK = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://|www\.|/|\{\{|<|\$\{|%[(s]").match

_NOBODY = frozenset(
    """
    admin administrator default root system user guest test tester unknown none null nil na n/a anonymous true
    false
    string bot server client public private everyone me self name required optional yes no undefined all any other
    new primary text value enabled disabled active inactive pending auto manual internal external service support
    moderator assistant developer tool function owner member redacted hidden masked deleted invalid empty missing
    error ok success failed object array number integer boolean email phone address city street password username
    varchar char date datetime timestamp uuid json jsonb bool float double decimal select input checkbox hidden
    asc desc
    """.split()
)
# Words of sentences: error messages and hints stand under the names of fields too.
_SENTENCE = frozenset(
    """
    is are be been was were must can't cannot can't could should has have not isn't wasn't required invalid missing
    blank already taken too please enter your please, expected allowed needed unknown provided exist exists
    ist sind muss darf nicht bitte est requis obligatoire doit es requerido obligatorio debe deve richiesto
    """.split()
)
# In what is written like a name, these make it a thing, a team or a firm.
_THINGS = frozenset(
    """
    the and of for a an in on at to my our new team inc ltd llc gmbh ag corp co company group bank service services
    system room channel server admin support bot user users test account office department shop store club school
    university hospital center centre foundation institute association committee project program api app desk help
    north south east west street road avenue lane city county station airport park hotel building floor suite inc.
    ltd. co. corp. limited main default general public private sales marketing billing customer global corporation
    industries holding holdings solutions technologies technology labs studio studios media partners capital
    ventures
    consulting international shipping standard express priority economy delivery order orders invoice saver data
    service-account engineering engineers operations product research development human resources finance legal it
    """.split()
)
_PARTICLES = frozenset(
    "de da do dos das di del della der den van von zu zum zur la le el al bin ibn y e ten ter af".split()
)


def name(text: str) -> bool:
    """One name or several, as people spell them; `van der Berg`, `O'Neill`, `Mary-Jane`, `J. R.`, `山田`."""
    if not 1 < len(text) <= 80 or not _NAME(text) or text.lower() in _NOBODY:
        return False
    return all(_worn(word) and word.lower() not in _SENTENCE for word in text.split())


def spoken_name(text: str) -> bool:
    """A name after a word for a person: lower case is all right where there are two."""
    return name(text) and (not text[0].islower() or " " in text)


def full_name(text: str) -> bool:
    """Two names at least, and nothing that things and firms are called."""
    words = text.replace(",", " ").split()
    if not 2 <= len(words) <= 5 or not name(text) or any(word.lower() in _THINGS for word in words):
        return False
    if sum(map(len, words)) < 5:
        return False
    return all(not word[0].islower() or word in _PARTICLES for word in words) and not words[-1][0].islower()


def _worn(word: str) -> bool:
    """Whether the capitals of `word` are those of a name: `McDonald`, not `gUeRv` or `JgwBuNOn`."""
    humps = len(_HUMPS(word))
    return humps == 0 or (humps == 1 and word[0].isupper() and not word[-1].isupper())


def street(text: str) -> bool:
    """A street, with or without a number; or the number of a house."""
    if re.fullmatch(r"[0-9]{1,6} ?[A-Za-z]?(?:[/-][0-9A-Za-z]{1,5})?", text):
        return True
    # one small word is what games and traffic call streets: `river`, `main`
    return _postal(text) and len(text) >= 3 and not (text.isalpha() and text.islower() and text.isascii())


def road(text: str) -> bool:
    """A street that nothing else is called: with a number, or several words in capitals."""
    return _postal(text) and " " in text and (any(map(str.isdigit, text)) or text.istitle())


def address(text: str) -> bool:
    """Several words, or lines, of which one has letters."""
    return _postal(text) and len(text) >= 5 and len(text.replace(",", " ").split()) > 1


_NUMBERED = re.compile(r"\d{1,6}[a-zA-Z]?,? [^\W\d_]{2,}\.? [\w .,'\n-]*[^\W_]").fullmatch
_POSTED = re.compile(
    r"\b(?:suite|apt|apartment|unit|floor|street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|square"
    r"|way|box|rue|calle|via|rua|ulica|ul)\b\.?|(?:stra(?:ss|ß)e|str\.|straat|weg|platz|gasse)\b",
    re.IGNORECASE,
).search


def place(text: str) -> bool:
    """What only an address is written like: a number before several words, or beside one like `Suite`."""
    if not address(text) or not any(map(str.isdigit, text)):
        return False
    return _NUMBERED(text) is not None or _POSTED(text) is not None


def _postal(text: str) -> bool:
    if _LINK(text) or _ID(text) or text.startswith("0x") or not _NOT_POSTAL.isdisjoint(text):
        return False
    if (
        text.lower() in _NOBODY
        or not any(map(str.isalpha, text))
        or not _SENTENCE.isdisjoint(text.lower().split())
    ):
        return False
    # one word: no host (`db-1.internal`), no id (`Ab3xK`)
    return len(text.split()) > 1 or re.fullmatch(r"[^\W\d_]{2,}(?:-[^\W\d_]+)*\.?", text) is not None


_NOT_POSTAL = frozenset("@_={}[]<>|\\$*")


def city(text: str) -> bool:
    """Letters, and what stands between those of `Saint-Denis` and `St. John's`."""
    return len(text) <= 60 and name(text)


def postcode(text: str) -> bool:
    """`94105`, `94105-1234`, `SW1A 1AA`, `1012 AB`, `00-950`."""
    if not re.fullmatch(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)?", text) or not 4 <= len(text) <= 10:
        return False
    return sum(char.isdigit() for char in text) >= 2


def birth_date(text: str) -> bool:
    """A day from 1890 to today, in any order of year, month and day that people write."""
    return any(_born(int(y), int(m), int(d)) for y, m, d in _days(text))


_MONTHS = {
    name: number
    for number, names in enumerate(
        """jan ene gen sty january|feb fev lut|mar maa mrz mär|apr abr avr kwi|may mai mag mei maj|jun giu cze juin
        |jul lug lip juil|aug ago aou sie aoû|sep set wrz|oct okt ott out paz|nov lis|dec dez dic gru déc""".split(
            "|"
        ),
        start=1,
    )
    for name in names.split()
}


def _days(text: str) -> list[tuple[str, str, str]]:
    text = re.split(r"[T ]\d\d:\d\d", text)[0]
    if found := re.fullmatch(r"(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})", text):
        return [(found[1], found[2], found[3])]
    if found := re.fullmatch(r"(\d{1,2})[-/. ] ?(\d{1,2})[-/. ] ?(\d{4}|\d{2})", text):
        year = found[3] if len(found[3]) == 4 else f"19{found[3]}"
        return [(year, found[2], found[1]), (year, found[1], found[2])]
    if found := re.fullmatch(r"(\d{2})(\d{2})(\d{4})", text):
        return [(found[3], found[2], found[1]), (found[3], found[1], found[2])]
    written = re.findall(r"[^\W\d_]{3,}|\d+", text)
    months = [_MONTHS[word[:n].lower()] for word in written for n in (3, 4) if word[:n].lower() in _MONTHS]
    years = [word for word in written if word.isdigit() and len(word) == 4]
    days = [word for word in written if word.isdigit() and len(word) <= 2]
    return [(years[0], str(months[0]), days[0])] if months and years and days and len(text) <= 40 else []


def _born(year: int, month: int, day: int) -> bool:
    try:
        return date(1890, 1, 1) <= date(year, month, day) <= date.today()
    except ValueError:
        return False


def _digits(text: str, least: int, most: int, separators: str) -> bool:
    rest = text.translate(str.maketrans("", "", separators))
    return rest.isdecimal() and least <= len(rest) <= most and len(text) <= 2 * len(rest)


def ssn(text: str) -> bool:
    return _digits(text, 9, 9, "- .") and len(set(text) - set("- .")) > 1


def identifier(text: str) -> bool:
    """An id as offices give them: mostly digits, no random id of a database, and no date."""
    if _ID(text) or not re.fullmatch(r"[^\W_]+(?:[ ./-]{1,2}[^\W_]+)*", text) or not 5 <= len(text) <= 30:
        return False
    digits = sum(char.isdigit() for char in text)
    return digits >= 4 and digits >= len(text) // 3


def document(text: str) -> bool:
    """The number of a passport: digits, or few letters and digits."""
    return (
        re.fullmatch(r"(?:[A-Za-z]{1,3} ?\d{5,9}|\d{7,9}|[A-Z0-9]{9})", text) is not None and text[-3:].isalnum()
    )


def plate(text: str) -> bool:
    """A few letters and digits in up to four groups."""
    form = re.fullmatch(r"[^\W_]{1,8}(?:[ .\u00b7-][^\W_]{1,8}){0,3}", text)
    return form is not None and any(map(str.isdigit, text)) and 2 <= len(text) <= 12


def iban(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z]{2}\d{2}[ -]?(?:[A-Za-z0-9][ -]?){10,30}", text) is not None


def account(text: str) -> bool:
    return identifier(text) or _digits(text, 6, 24, "- ./")


def card(text: str) -> bool:
    return _digits(text, 12, 19, "- .")


def cvv(text: str) -> bool:
    return text.isdecimal() and len(text) in (3, 4)


def phone(text: str) -> bool:
    """6 to 20 digits, an extension included; no date, no decimal and no time."""
    core = re.split(r" ?(?:ext\.?|x|#) ?", text, maxsplit=1, flags=re.IGNORECASE)[0]
    if re.fullmatch(r"\d+\.\d+|\d{4}-\d\d-\d\d.*", core) or len(text) > 40:
        return False
    return _digits(core.lstrip("+"), 6, 18, " ()-./\u2013") and (len(set(core)) > 2)


def email(text: str) -> bool:
    return re.fullmatch(r"[^\s@]{1,64}@[^\s@]{1,255}", text) is not None or (
        re.search(r"<[^\s@]+@[^\s@]+>", text) is not None
    )


def ip(text: str) -> bool:
    """One address, or several as in X-Forwarded-For; a port, a prefix length or a zone may follow."""
    return all(_ip(part.strip()) for part in text.split(","))


def _ip(text: str) -> bool:
    for host in (text, text.rpartition(":")[0].strip("[]"), text.partition("/")[0]):
        try:
            ip_address(host)
        except ValueError:
            continue
        return True
    return False


def mac(text: str) -> bool:
    found = re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:. -]?){5}[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){0,2}", text)
    return found is not None or re.fullmatch(r"(?:[0-9A-Fa-f]{4}[.-]){2}[0-9A-Fa-f]{4}", text) is not None


def imei(text: str) -> bool:
    return _digits(text, 14, 22, "- /")


# Also types: `varchar(60)`.
_PLACEHOLDER = re.compile(
    r"[*x.\u2022#-]+|<.*>|\[.*\]|\{.*\}|\$\{.*|\$[A-Z_]+|%\w|\*+.*|[a-z]+\(\d+\)", re.DOTALL
).fullmatch


def password(text: str) -> bool:
    """No word of a form or a schema, no sentence of an error message, no placeholder, no link."""
    if len(text) < 4 or text.count(" ") > 1 or text.lower() in _NOBODY or _PLACEHOLDER(text):
        return False
    return not _LINK(text) and text.lower() not in _SAID


_SAID = frozenset(
    """
    changed expired weak strong medium reset forgot incorrect wrong show hide bearer basic digest oauth oauth2
    apikey
    current saved stored never always confirmed mismatch bcrypt argon2 scrypt pbkdf2 sha256 plain plaintext
    credentials
    authorization_code client_credentials refresh_token access_token password_grant token secret session expired
    """.split()
)


def passphrase(text: str) -> bool:
    return password(text.replace(" ", ""))


def code(text: str) -> bool:
    return re.fullmatch(r"\d{4,10}|[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){0,3}", text) is not None and (
        any(char.isdigit() for char in text)
    )


def unknown_token(text: str) -> bool:
    """What may be a credential, and no UUID or hash: those mostly name something."""
    return token(text) and not _ID(text)


def token(text: str) -> bool:
    """A credential that nobody can guess: long, without white space, and of mixed characters."""
    if text.startswith("-----BEGIN "):
        return True
    scheme, _, rest = text.partition(" ")
    if rest and scheme.lower() in (
        "bearer",
        "basic",
        "token",
        "apikey",
        "digest",
        "negotiate",
        "aws4-hmac-sha256",
    ):
        return len(rest) >= 6 and not rest.startswith(("{", "<", "$"))
    if len(text) < 8 or " " in text or _PLACEHOLDER(text) or text.lower() in _SAID | _NOBODY:
        return False
    if re.match(r"https?://|/", text):
        return False
    return _entropy(text) * len(text) >= 40 and _mixed(text)


def _entropy(text: str) -> float:
    """Bits per character (Shannon), by how often each occurs."""
    counts = [text.count(char) for char in set(text[:256])]
    total = sum(counts)
    return -sum(count / total * log2(count / total) for count in counts)


def _mixed(text: str) -> bool:
    """Digits and letters; or so long, or of so many cases, that it is no name of anything."""
    has_digit, has_letter = any(map(str.isdigit, text)), any(map(str.isalpha, text))
    if has_digit and has_letter:
        # `room-1`, `player_2`, `2026-11-22T08:15:30Z` are names and times
        return sum(map(str.isdigit, text)) >= 2 and not re.match(r"\d{4}-\d\d-\d\d", text)
    return len(_HUMPS(text)) >= 2 and len(text) >= 12 and not re.search(r"[ ._-]", text)


def cookie(text: str) -> bool:
    """Pairs, one of which has a value that nobody can guess."""
    return any(token(part.partition("=")[2].strip()) for part in text.split(";") if "=" in part) or token(text)
