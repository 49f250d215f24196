"""Numbers by which offices, banks, networks and makers know somebody or something of theirs.

They are judged by how many digits they have and by what stands between those. Whether a check digit is right is
the matter of the recognizers: below its key a number with a typing error is personal too.
"""

from __future__ import annotations

import re

from proxy.detect.plausible.other import is_id


def ssn(text: str) -> bool:
    return _digits(text, 9, 9, "- .") and len(set(text) - set("- .")) > 1


def identifier(text: str) -> bool:
    """An id as offices give them: mostly digits, no random id of a database, and no date."""
    if is_id(text) or not re.fullmatch(r"[^\W_]+(?:[ ./-]{1,2}[^\W_]+)*", text) or not 5 <= len(text) <= 30:
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
    return _digits(core.lstrip("+"), 6, 18, " ()-./\u2013") and len(set(core)) > 2


def imei(text: str) -> bool:
    return _digits(text, 14, 22, "- /")


def _digits(text: str, least: int, most: int, separators: str) -> bool:
    rest = text.translate(str.maketrans("", "", separators))
    return rest.isdecimal() and least <= len(rest) <= most and len(text) <= 2 * len(rest)
