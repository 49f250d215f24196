"""Is a text worth reading? Pure and cheap: a handful of bounded regex steps, a microsecond for most texts.

Language models see names in ids, hashes, code and enum values, so only prose goes to them. The test asks for
signs of prose, never for the absence of something else: no filler added to a sentence hides it.
"""

from __future__ import annotations

import re

_LETTER = r"[^\W\d_]"
# A word as people write it: anna, Anna, ANNA, O'Neil, Jean-Luc, McKay; not sensorId, not msg_01, not AbCdEf.
_WORD = rf"(?<![\w$@.:/\\=-]){_LETTER}{{1,24}}(?:['\u2019-]{_LETTER}{{1,24}}){{0,2}}(?![\w$@(\[=\\-]|[./:]\w)"
_PAIR = re.compile(rf"{_WORD}[.,;:!?)\"'\u201d]{{0,2}}\s{{1,8}}[(\"'\u201c]?{_WORD}").search
_RUN = re.compile(rf"{_WORD}(?:[.,;:!?)\"'\u201d]{{0,2}}\s{{1,8}}[(\"'\u201c]?{_WORD}){{3}}").search
_WORDS = re.compile(_WORD).findall
_CODE = re.compile(r"[{}\[\];=|\\$#_^~]|</|\":|://|\(\)").findall


def is_prose(text: str) -> bool:
    """Whether `text` holds two words side by side, in a setting that is not code.

    Four words in a row are a sentence whatever stands around them; fewer must not be outnumbered by the marks
    of code, JSON and query languages.
    """
    if _PAIR(text) is None:
        return False
    return _RUN(text) is not None or len(_CODE(text)) <= len(_WORDS(text)) // 2
