"""Everything that looks like personal data and is none: ids, times, digests, versions, prices.

One seeded source, so a corpus is the same wherever it is made. `digits` keeps the one promise that the rest rests
on: a run of 12 to 19 digits is never a card number, neither by luck.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
NOW = 1_763_859_724  # 2025-11-23; every time of a corpus lies within two years of it


class Ids(random.Random):
    """A seeded source of values. Every method returns a new one."""

    def of(self, alphabet: str, count: int) -> str:
        """`count` characters of `alphabet`."""
        return "".join(self.choices(alphabet, k=count))

    def hex(self, count: int) -> str:
        return self.of("0123456789abcdef", count)

    def digits(self, count: int, first: str = "123456789") -> str:
        """`count` digits, the first of them of `first`; never a valid card number, see luhn."""
        while True:
            text = self.choice(first) + self.of("0123456789", count - 1)
            if not 12 <= count <= 19 or not luhn(text):
                return text

    def whole(self, count: int, first: str = "123456789") -> int:
        """`digits` as a number."""
        return int(self.digits(count, first))

    def uuid(self) -> str:
        raw = self.hex(32)
        return (
            f"{raw[:8]}-{raw[8:12]}-{self.choice('147')}{raw[13:16]}-{self.choice('89ab')}{raw[17:20]}-{raw[20:]}"
        )

    def ulid(self) -> str:
        return "01J" + self.of(CROCKFORD, 23)

    def sha(self, count: int = 40) -> str:
        return self.hex(count)

    def etag(self) -> str:
        return self.choice(['W/"{}"', '"{}"', '"{}-gzip"']).format(self.hex(self.choice([8, 16, 32])))

    def base64(self, size: int, *, url: bool = False) -> str:
        """Of random bytes, so it decodes to no text."""
        raw = bytes([0xFF, 0x00]) + self.randbytes(size - 2)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=") if url else base64.b64encode(raw).decode()

    def snowflake(self) -> str:
        """17 to 19 digits, the first of them 1 or 9: no card of that length begins so."""
        return self.digits(self.choice([17, 18, 19]), "19")

    def short(self, count: int = 11) -> str:
        """As YouTube and others name things: `Xy3_k-9aQ2w`."""
        return self.of(ALNUM + "_-", count)

    def slack(self) -> str:
        return self.choice("CTW") + "0" + self.of(UPPER, 9)

    # times

    def s(self) -> int:
        return NOW + self.randrange(-60_000_000, 60_000_000)

    def ms(self) -> int:
        return self.s() * 1000 + self.randrange(1000)

    def us(self) -> int:
        return self.ms() * 1000 + self.randrange(1000)

    def ns(self) -> int:
        return self.us() * 1000 + self.randrange(1000)

    def fraction(self) -> str:
        """Seconds with a fraction as text: `1763859724.000200`."""
        return f"{self.s()}.{self.of('0123456789', 6)}"

    def when(self) -> datetime:
        zone = timezone(timedelta(minutes=self.choice([0, 60, -300, 330, 540, -210])))
        return datetime.fromtimestamp(self.s(), UTC).astimezone(zone).replace(microsecond=self.randrange(10**6))

    def iso(self) -> str:
        """A date and time in one of the usual spellings."""
        when = self.when()
        plain = when.astimezone(UTC).replace(tzinfo=None)
        return self.choice(
            [
                when.isoformat(),
                when.isoformat(timespec="milliseconds"),
                when.isoformat(timespec="seconds"),
                plain.isoformat(timespec="milliseconds") + "Z",
                plain.isoformat() + "Z",
                plain.isoformat(timespec="microseconds") + "123Z",
                plain.strftime("%Y-%m-%d %H:%M:%S"),
                plain.strftime("%Y%m%dT%H%M%SZ"),
                plain.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            ]
        )

    def day(self) -> str:
        return self.when().strftime(self.choice(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d"]))

    # numbers that mean something

    def price(self) -> str:
        return f"{self.uniform(0.0001, 95_000):.{self.choice([2, 4, 5, 8])}f}"

    def number(self, low: float, high: float, places: int = 2) -> float:
        return round(self.uniform(low, high), places)

    def latitude(self) -> float:
        return self.number(-80, 80, self.choice([4, 6, 7]))

    def longitude(self) -> float:
        return self.number(-180, 180, self.choice([4, 6, 7]))

    def port(self) -> int:
        return self.choice([80, 443, 1883, 5432, 6379, 8080, 8883, 9092, self.randrange(30_000, 65_000)])

    # names of things

    def semver(self) -> str:
        core = f"{self.randrange(30)}.{self.randrange(40)}.{self.randrange(300)}"
        return core + self.choice(
            ["", "", "-rc.1", f"-beta.{self.randrange(9)}+{self.hex(7)}", f"+{self.day_tag()}"]
        )

    def day_tag(self) -> str:
        return self.when().strftime("%Y%m%d") + f".{self.randrange(1, 30)}"

    def color(self) -> str:
        return "#" + self.hex(self.choice([3, 6, 8]))

    def sku(self) -> str:
        letters = self.of("ABCDEFGHKLMNPRSTVX", 3)
        return self.choice(
            [
                f"SKU-{self.digits(8)}",
                f"{letters}-{self.digits(4)}-{self.choice(['S', 'M', 'XL'])}",
                f"{letters}{self.digits(6)}",
                f"{self.digits(3)}-{self.digits(3)}-{self.digits(4)}-{letters[0]}",
            ]
        )

    def order(self) -> str:
        return self.choice(
            [
                f"ORD-{self.digits(10)}",
                f"#{self.digits(7)}",
                self.digits(10),
                f"{self.digits(4)}-{self.digits(6)}",
                f"{self.digits(3)}-{self.digits(7)}-{self.digits(7)}",
                f"SO{self.digits(9)}/1",
            ]
        )

    def isbn(self) -> str:
        """ISBN-13 with its check digit (ISO 2108), with and without dashes."""
        body = "9783" + self.digits(8)
        text = body + ean_check(body)
        return self.choice([text, f"{text[:3]}-{text[3]}-{text[4:6]}-{text[6:12]}-{text[12]}"])

    def ean(self) -> str:
        """EAN-13 with its check digit; never one that is a card number by Luhn too."""
        while True:
            body = self.choice(["40", "50", "76", "87"]) + self.digits(10)
            if not luhn(text := body + ean_check(body)):
                return text

    def tracking(self) -> str:
        return self.choice(
            [
                "1Z" + self.of(UPPER, 6) + self.digits(10),
                self.digits(12, "79"),
                "JD0" + self.digits(17),
                f"RR{self.digits(9)}DE",
                "9400" + self.digits(18),
            ]
        )

    def cardlike(self) -> str:
        """Sixteen digits, grouped like a card: but with a wrong check digit, or issued by nobody."""
        text = self.digits(16, "45") if self.random() < 0.5 else self.choice("0179") + self.digits(15)
        while luhn(text):
            text = text[:-1] + str((int(text[-1]) + 1) % 10)
        sign = self.choice(["", " ", "-"])
        return sign.join(text[i : i + 4] for i in range(0, 16, 4))

    def host(self) -> str:
        return self.choice(
            [
                f"{self.choice(['api', 'ws', 'cdn', 'edge-3', 'eu-west-1.db'])}.example.com",
                f"node-{self.randrange(40)}.svc.cluster.local",
                "stream.example.net",
                f"host-{self.hex(6)}.internal",
                "status.example.org",
            ]
        )

    def url(self) -> str:
        path = self.choice(
            [f"v{self.randrange(1, 5)}/items/{self.digits(6)}", f"a/{self.short()}", f"img/{self.hex(12)}@2x.png"]
        )
        query = self.choice(
            ["", "", f"?page={self.randrange(90)}&sort=-ts", f"?v={self.semver()}", f"#L{self.digits(3)}"]
        )
        return f"{self.choice(['https', 'https', 'wss', 'http'])}://{self.host()}/{path}{query}"

    def file(self) -> str:
        return self.choice(
            [
                f"logs/app-{self.when():%Y-%m-%d}.log.gz",
                f"IMG_{self.when():%Y%m%d}_{self.digits(6)}.jpg",
                f"backup.{self.digits(10)}.tar.zst",
                "src/net/socket@v2.ts",
                f"report_{self.hex(8)}.pdf",
                "icons/star@2x.png",
            ]
        )

    def package(self) -> str:
        return self.choice(
            ["left-pad@{}", "@scope/ui-kit@{}", "lodash@{}", "npm:react@{}", "golang.org/x/net@v{}"]
        ).format(self.semver())


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def ean_check(body: str) -> str:
    """The thirteenth digit of an EAN (GS1 General Specifications section 7.9)."""
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


def dumps(ids: Ids, value: Any) -> str:
    """JSON as somebody's library writes it: compact or not, with or without escapes beyond ASCII."""
    separators = ids.choice([(",", ":"), (",", ":"), (", ", ": ")])
    return json.dumps(value, separators=separators, ensure_ascii=ids.random() < 0.5)


def one(ids: Ids, templates: Sequence[Any]) -> Any:
    """One of `templates`, built now: functions of an Ids, so that the others draw nothing."""
    return ids.choice(templates)(ids)
