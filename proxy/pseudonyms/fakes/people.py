"""Surrogates of names and places, from small lists. Names in other scripts get another one by shape."""

from __future__ import annotations

import re

from proxy.pseudonyms.fakes.draw import Draw
from proxy.pseudonyms.fakes.shape import shaped

_GIVEN = """
    Ada Alma Amir Anton Arlo Astrid Beatrix Bruno Cara Cedric Clara Cosmo Dalia Dario Edda Elias Elin Emil
    Enzo Esther Fabian Fiona Flora Gideon Greta Hanna Hugo Ida Ilan Ines Iris Ivo Jana Jasper Jonas Juna
    Kilian Lara Leander Linus Livia Lotte Magnus Maren Mika Milo Mira Nadia Nils Noa Odin Olga Oskar Petra
    Quentin Rafael Ronja Runa Samir Selma Silas Tamara Theo Tilda Uma Valentin Vera Wanda Xenia Yara Yusuf
    Zelda
"""
_FAMILY = """
    Abbott Adler Amsel Arden Ashby Barlow Birch Blythe Brandt Calder Castell Corvin Dahl Darby Delling Ebner
    Elling Everly Falk Fenwick Finch Galen Garrick Gruber Hadley Halloran Hazel Ingram Iversen Jessop
    Juniper Kestrel Kirsch Lark Lindqvist Lowell Marlow Merrin Moss Nolan Norling Oakley Orlov Pascal
    Penrose Quill Rainer Reed Rowan Sable Sorrel Sterling Tarn Thorne Tiller Umber Vance Vesper Wagner
    Walden Wexler Wilder Yardley Yates Zeller Zimmer
"""
_TOWNS = """
    Alderbrook Amberfield Ashport Birchwater Brackenford Cedarholm Clearmoor Coldharbour Dunmere Eastvale
    Elmstead Fairhollow Fernbank Foxbridge Glenrock Greywater Hartwell Hazelmoor Heatherby Ironside
    Kingsmere Larkhill Lindenau Maplecross Millbrook Northwick Oakhaven Pinecrest Redcliff Riverbend
    Rosedale Sandmere Silverton Stonefield Summerby Thornbury Underhill Valemont Westmarch Willowdale
    Winterbourne Woodmere Yarrowby Zelltal
"""
GIVEN, FAMILY, TOWNS = _GIVEN.split(), _FAMILY.split(), _TOWNS.split()
STREETS = ("Street", "Lane", "Avenue", "Road", "Way", "Square")

_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam", "herr", "frau", "mme", "mlle", "m"))
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_PHRASE = re.compile(r"[^\W\d_](?:[^\d,;\n]*[^\W\d_])?")


def person(text: str, draw: Draw) -> str | None:
    """Each word another one, the last a family name; titles stay, initials stay initials."""
    words = [word for word in _WORD.finditer(text) if word[0].casefold() not in _TITLES]
    if not words or not _latin(text):
        return None
    family = words[0] if "," in text[words[0].end() : words[-1].start()] else words[-1]
    new = {
        word.start(): _name(word[0], FAMILY if word is family and len(words) > 1 else GIVEN, draw)
        for word in words
    }
    # Digits are no part of a name, but may stand in what was taken for one.
    return _digits(_WORD.sub(lambda word: new.get(word.start(), word[0]), text), draw)


def place(text: str, draw: Draw) -> str | None:
    """Towns; where numbers stand, the first is a street, and the numbers are others."""
    phrases = list(_PHRASE.finditer(text))
    if not phrases or not _latin(text):
        return None
    address = any(char.isdecimal() for char in text)
    new = iter(
        _cased(f"{draw.pick(FAMILY)} {draw.pick(STREETS)}" if address and i == 0 else draw.pick(TOWNS), phrase[0])
        for i, phrase in enumerate(phrases)
    )
    return _digits(_PHRASE.sub(lambda _: next(new), text), draw)


def _digits(text: str, draw: Draw) -> str:
    """`text` with other digits."""
    return re.sub(r"\d+", lambda digits: shaped(digits[0], draw), text)


def _name(word: str, names: list[str], draw: Draw) -> str:
    return shaped(word, draw) if len(word) == 1 else _cased(draw.pick(names), word)


def _cased(new: str, old: str) -> str:
    return new.upper() if old.isupper() else new.lower() if old.islower() else new


def _latin(text: str) -> bool:
    return all(not char.isalpha() or char < "ɐ" for char in text)
