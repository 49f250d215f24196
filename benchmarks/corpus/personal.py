"""Messages with personal data at known places: every form of value, in every place of every protocol, and hidden.

A template holds MARK where the value goes. After the last `dumps` the mark is replaced by the value, spelt for as
many levels of JSON as lie around it, so its place in the message is known exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.corpus import people, values
from benchmarks.corpus.hiding import TRICKS, Trick
from benchmarks.corpus.ids import Ids, dumps
from benchmarks.corpus.streams import RS
from benchmarks.corpus.values import NEUTRAL, Need, Value
from benchmarks.scoring import Span

SEED = 20_251_124
FEW = 3  # times more of the types that have few forms
MARK = "QxMARKxQ"

SENTENCES: dict[str, tuple[str, ...]] = {
    "EMAIL_ADDRESS": (
        "write to {}, please",
        "Meine Adresse ist {}.",
        "(cc {})",
        "{} signed up at 8",
        "écris à {} !",
    ),
    "PHONE_NUMBER": (
        "call me at {} after 6",
        "my phone number is {}.",
        "Tel: {}",
        "whatsapp {} please",
        '<a href="tel:{}">',
        "Telefon: {}",
    ),
    "CREDIT_CARD": ("charge {} please", "my card is {}, thanks", "card number: {}", "it is {} exp 04/29"),
    "IBAN_CODE": ("send it to {} today", "IBAN {}", "Konto {}, danke", "transfer ({})"),
    "US_SSN": ("my SSN is {}", "social security number {}, ok?", "SSN: {}."),
    "US_ITIN": ("my ITIN is {}", "tax id {}, thanks"),
    "IP_ADDRESS": ("login from {} failed", "connected to {}, retrying", "client {} timed out", "blocked ({})"),
    "MAC_ADDRESS": ("device {} joined", "station {} left the cell", "mac {}, ch 6"),
    "CRYPTO": ("pay to {} until noon", "wallet {}, thanks", "my address: {}"),
    "SECRET": ("use {} for now", "the new token is {} ok", "export KEY={}"),
}


@dataclass(frozen=True, slots=True)
class Personal:
    """One message with personal data at `spans`; `label` is its entity, or the trick that hides it."""

    text: str
    spans: tuple[Span, ...]
    label: str


Place = Callable[[Ids, str, str], Any]
"""(source, key, mark) -> a piece of JSON that holds the mark."""

KEYED: dict[str, Place] = {
    "key": lambda i, key, mark: {"id": i.uuid(), key: mark, "ts": i.ms()},
    "deep": lambda i, key, mark: {"seq": i.whole(5), "user": {"id": i.whole(9), "contact": {key: mark}}},
    "array": lambda i, key, mark: {key: [mark], "at": i.iso()},
    "rows": lambda i, key, mark: {"rows": [{"n": i.whole(7), key: mark, "state": "ok"}]},
}
ANYWHERE: dict[str, Place] = {
    "neutral": lambda i, _, mark: {i.choice(NEUTRAL): mark, "n": i.whole(10)},
    "list": lambda i, _, mark: [i.whole(6), "set", mark, i.s()],
    "object key": lambda i, _, mark: {"members": {mark: {"since": i.ms(), "ok": True}}},
    "twice": lambda i, _, mark: {"id": i.uuid(), "v": mark, "etag": i.etag()},
}


def _envelopes(i: Ids, body: Any) -> list[tuple[str, int]]:
    """`body` in the protocols of the field: (text, levels of JSON round the mark)."""
    text, stamp = dumps(i, body), i.iso()
    return [
        (text, 1),
        (dumps(i, {"op": 0, "t": "EVENT", "s": i.whole(4), "d": body}), 1),
        (dumps(i, {"id": i.uuid(), "type": "next", "payload": {"data": body}}), 1),
        (dumps(i, {"type": "response.done", "event_id": "event_" + i.short(20), "arguments": text}), 2),
        ("42" + dumps(i, ["update", body]), 1),
        (f"42/shop,{i.digits(2)}" + dumps(i, ["update", {"at": stamp}, body]), 1),
        (dumps(i, {"type": 1, "target": "Changed", "arguments": [body]}) + RS, 1),
        (f"MESSAGE\nsubscription:sub-0\nmessage-id:{i.digits(6)}\ncontent-type:application/json\n\n{text}\0", 1),
        (dumps(i, {"jsonrpc": "2.0", "method": "notify", "params": body}), 1),
        (dumps(i, [None, i.digits(2), "room:lobby", "new_msg", body]), 1),
        (f"{stamp} INFO stored {text} in {i.digits(2)} ms", 1),
    ]


def plain(rounds: int = 1, seed: int = SEED) -> list[Personal]:
    """Every form of every value, nothing hidden, each in two places and once in prose or as a number."""
    i = Ids(seed)
    makers = [make for make in values.MAKERS for _ in range(1 if make is values.phones else FEW)]
    makers.append(people.people)
    return [
        message for _ in range(rounds) for make in makers for value in make(i) for message in _placed(i, value)
    ]


def _placed(i: Ids, value: Value) -> Iterator[Personal]:
    places = KEYED if value.need is not Need.NOTHING else KEYED | ANYWHERE
    for place in i.sample(sorted(places), 2):
        yield _message(i, value, places[place], value.entity)
    if value.need is Need.KEY and value.text.isdigit() and value.text[0] != "0":
        yield _number(i, value)
    if value.need is not Need.KEY:
        yield _prose(i, value, value.text, value.entity)


def hidden(rounds: int = 1, seed: int = SEED) -> list[Personal]:
    """The plainest forms of the checked types under every trick, under a neutral key and in prose."""
    i = Ids(seed + 1)
    found = []
    for _ in range(rounds):
        chosen = list(_chosen(i))
        for name, trick in TRICKS.items():
            for value in filter(trick.fits, chosen):
                found += _disguised(i, value, name, trick)
        for value in chosen:
            found += [_nested(i, value, depth) for depth in (2, 3)]
            found += [_message(i, value, ANYWHERE["object key"], "object key"), _doubled(i, value)]
    return found


def _chosen(i: Ids) -> Iterator[Value]:
    forms = {"plain", "US international", "GB e164", "visa", "mastercard -", "amex", "DE", "GB", "-", "v4"}
    for make in values.MAKERS:
        yield from (
            v for v in make(i) if v.form in forms and v.entity in values.CHECKED and v.entity != "MAC_ADDRESS"
        )


def _disguised(i: Ids, value: Value, name: str, trick: Trick) -> Iterator[Personal]:
    text = trick.change(i, value.text)
    if text == value.text:
        return
    if trick.spelling:
        yield _filled(i, {"n": i.whole(6), "v": MARK}, value, name, lambda depth: _spelt(text, depth - 1))
        yield _filled(i, {"text": f"so it is {MARK} now"}, value, name, lambda depth: _spelt(text, depth - 1))
        return
    yield _filled(i, {"n": i.whole(6), i.choice(NEUTRAL): MARK}, value, name, lambda depth: _spelt(text, depth))
    yield _prose(i, value, text, name)


def _message(i: Ids, value: Value, place: Place, label: str) -> Personal:
    body = place(i, i.choice(_keys(value)), MARK)
    return _filled(i, body, value, label, lambda depth: _spelt(value.text, depth))


def _keys(value: Value) -> tuple[str, ...]:
    return people.KEYS.get(value.form.split(" ")[0]) or values.KEYS[value.entity]


def _filled(i: Ids, body: Any, value: Value, label: str, spell: Callable[[int], str]) -> Personal:
    text, depth = i.choice(_envelopes(i, body))
    return _marked(text, MARK, spell(depth), value, label)


def _prose(i: Ids, value: Value, text: str, label: str) -> Personal:
    """In a sentence: in a JSON message, or as a text message of its own."""
    sentence = i.choice(SENTENCES[value.entity]).replace("{}", MARK)
    if i.random() < 0.3 and text.isprintable():
        return _marked(sentence, MARK, text, value, label)
    return _filled(i, {"id": i.ulid(), "text": sentence}, value, label, lambda depth: _spelt(text, depth))


def _number(i: Ids, value: Value) -> Personal:
    """Under its key, as a JSON number: no quotes."""
    body = {"id": i.whole(5), i.choice(_keys(value)): MARK}
    return _marked(json.dumps(body), f'"{MARK}"', value.text, value, value.entity)


def _nested(i: Ids, value: Value, depth: int) -> Personal:
    """In JSON in a string of JSON."""
    body: Any = {"v": MARK, "n": i.whole(6)}
    for _ in range(depth - 1):
        body = {"kind": "json", "body": dumps(i, body)}
    return _marked(dumps(i, body), MARK, _spelt(value.text, depth), value, "JSON in JSON")


def _doubled(i: Ids, value: Value) -> Personal:
    """Under a key that stands there twice: most parsers only tell of the last."""
    text = f'{{"id":{i.digits(5)},"v":"{MARK}","v":"nothing to see"}}'
    return _marked(text, MARK, _spelt(value.text, 1), value, "duplicate keys")


def _marked(text: str, mark: str, spelt: str, value: Value, label: str) -> Personal:
    start, end = text.index(mark), text.index(mark) + len(spelt)
    if lead := TRICKS[label].lead if label in TRICKS else 0:
        start, end = start + lead, start + lead + ceil(len(value.text.encode()) * 4 / 3)
    return Personal(text.replace(mark, spelt), (Span(start, end, value.entity),), label)


def _spelt(text: str, depth: int) -> str:
    """As the inside of a JSON string, `depth` times over."""
    for _ in range(depth):
        text = json.dumps(text, ensure_ascii=False)[1:-1]
    return text
