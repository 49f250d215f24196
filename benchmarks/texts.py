"""Texts to prove detection on: faker's people of nine locales in templates and JSON, mutated, and plain noise.

Seeded: the same seed gives the same texts. What is in them is invented.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from random import Random
from urllib.parse import quote

from faker import Faker

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "pt_BR", "hi_IN", "ru_RU", "ja_JP", "ar_SA")
TEMPLATES = (
    "{}",
    "please use {} from now on",
    "My data: {}. And {}?",
    "({}), [{}], <{}>",
    "before\n{}\nafter\t{}",
    "a,{},b,{},c",
    "{}; {}; {}; {}",
    "v1.2.3 {} at 2026-11-22T08:15:30.123Z, id 7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13",
    "https://example.com/{}?q={}&page=2#x",
    "tel: {} mail: {} card: {}",
    "{}{}",
    "x{}y",
    '"{}":"{}"',
    "key={}&other={}",
    "1 {} 2 {} 3",
    "\u00e9{}\u00fc \u4e16\u754c {}",
    "order 7301284653 total 1,249.99 for {}",
    "AB12 {} 4111 {} +1 {}",
)
PERSONAL = ("email", "company_email", "phone_number", "phone_number", "name", "address", "credit_card_number")
PERSONAL += ("iban", "ssn", "ipv4", "ipv6", "mac_address", "uuid4", "url", "iso8601", "sha1")
OTHER = ("example", "example", "number", "price", "soup")
NOISE = (
    "0123456789",
    "0123456789 -.()+/",
    "0123456789abcdefABCDEF:.-%/",
    "abcdefXYZ019@._-+!#$%&'*/=?^`{|}~",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -",
    "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789",
    " \t\r\n\f\v\x00\x1c\x1f\x7f\"\\'<>{}[],;:",
    "\u0660\u0661\u06f1\u0967\uff11\U0001d7cf0123456789 -\u2013\u00a0\u200b\u00ad\uff0b",
    "\u00e9\u00fc\u0131\u0130\u017f\u212a\u03b1\u0410\u4e2d\U0001f600@.a1 \ufeff\u2060\u202e\ud800",
)
# One of each form, and values that stand at the edge of one: what the recognizers must decide about.
VALUES = (
    "bob@corp.internal",
    '"john doe"@example.com',
    "j\u00f6rg@b\u00fccher.example",
    "root@localhost",
    "x@[192.0.2.1]",
    "+1 212-555-0142",
    "(212) 555-0142 ext. 7",
    "4111 1111 1111 1111",
    "2223003122003222",
    "4111111111111112",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "219-09-9999",
    "219 09 9999",
    "192.0.2.17",
    "10.0.0.0/8",
    "10.0.0.1/37",
    "1.2.3.4.5",
    "2001:db8::8a2e:370:7334",
    "fe80::1%eth0",
    "::ffff:192.0.2.1/96",
    "::1",
    "1:2:3:4:5:6:7:8",
    "00:00:5e:00:53:af",
    "00-00-5E-00-53-AF",
    "0000.5e00.53af",
    "00:00:5e:00:53:af:01:02",
    "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "postgres://bob:hunter2@db.example.com/app",
    "ghp_q7Zr2Lx9Tb4Wm8KcV3nYh5Pd6Jf1Gs0q7Zr2",
    "Authorization: Bearer q7Zr2Lx9Tb4Wm8KcV3nYh5Pd",
    "api_key=q7Zr2Lx9Tb4Wm8KcV3nYh5Pd",
    "1763859724123",
    "2026-11-22 08:15:30",
    "std::vector",
    "lodash@4.17.21",
)


CODES: tuple[Callable[[str], str], ...] = (
    str,
    str,
    str,
    str.upper,
    lambda text: quote(text, errors="replace"),
    lambda text: base64.b64encode(text.encode(errors="replace")).decode(),
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: text.encode(errors="replace").hex(),
)


class Texts:
    """A stream of texts from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.people = [Faker(locale, use_weighting=False) for locale in LOCALES]
        for person in self.people:
            person.seed_instance(seed)

    def texts(self, count: int) -> Iterator[str]:
        """`count` texts: a third in templates, a third in JSON, the rest mutated or noise."""
        kinds = (self.template, self.template, self.document, self.document, self.mutated, self.noise)
        for _ in range(count):
            yield self.random.choice(kinds)()

    def value(self) -> str:
        """Somebody's data, the example of a form, or a number of one kind or another."""
        random, person = self.random, self.random.choice(self.people)
        kind = random.choice(PERSONAL + OTHER)
        if hasattr(person, kind):
            return str(getattr(person, kind)())
        if kind == "example":
            return random.choice(VALUES)
        if kind == "number":
            return str(random.randrange(10 ** random.randrange(1, 20)))
        return f"{random.randrange(10**6) / 100:,.2f}" if kind == "price" else self.soup(20)

    def template(self) -> str:
        """Values in prose, or between the signs of a format."""
        template = self.random.choice(TEMPLATES)
        return template.format(*(self.value() for _ in range(4)))

    def document(self) -> str:
        """Values in JSON, escaped in one way or another."""
        document: object = {
            self.random.choice(("email", "firstName", "ssn", "street-address", "id", "ts", "a b", "x")): [
                self.value(),
                {"v": self.value()},
                17,
            ]
            for _ in range(self.random.randrange(1, 4))
        }
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            document = {"body": json.dumps(document, ensure_ascii=self.random.random() < 0.5)}
        return json.dumps(document, ensure_ascii=self.random.random() < 0.5)

    def mutated(self) -> str:
        """A value with something inserted, removed, doubled or respelt; or hidden in a code."""
        random, text = self.random, self.template()
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(text) + 1)
            piece = random.choice((self.soup(1), self.soup(3), " ", "", text[at : at + random.randrange(8)]))
            text = text[:at] + piece + text[at + random.randrange(3) :]
        return random.choice(CODES)(text)

    def noise(self) -> str:
        """Soup with a value in it now and then."""
        parts = [self.soup(60) if self.random.random() < 0.8 else self.value() for _ in range(3)]
        return self.random.choice(("", " ", "\n")).join(parts)

    def soup(self, most: int) -> str:
        """Up to `most` characters of one kind."""
        alphabet = self.random.choice(NOISE)
        return "".join(self.random.choices(alphabet, k=self.random.randrange(most + 1)))
