"""Clean messages of markets and shops: order books, tickers, FIX, blocks of a chain, stock and parcels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import ALNUM, UPPER, Ids, dumps, one


def _level(i: Ids) -> list[str]:
    return [i.price(), f"{i.number(0, 40, 8):.8f}"]


TRADING: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "type": "ticker",
        "sequence": i.whole(12),
        "product_id": "ETH-USD",
        "price": i.price(),
        "open_24h": i.price(),
        "volume_24h": f"{i.number(0, 900_000, 8)}",
        "time": i.iso(),
        "trade_id": i.whole(9),
        "last": i.price(),
        "last_size": "0.1021",
    },
    lambda i: {
        "ev": "T",
        "sym": "AAPL",
        "x": 4,
        "i": i.digits(14, "5"),
        "p": i.number(1, 900, 4),
        "c": [14, 41],
        "t": i.ms(),
    },
    lambda i: {
        "action": "depth",
        "bids": [_level(i) for _ in range(8)],
        "asks": [_level(i) for _ in range(8)],
        "ts": i.ns(),
    },
    lambda i: {
        "ordStatus": "FILLED",
        "clOrdID": i.order(),
        "execId": i.digits(16, "1"),
        "px": i.price(),
        "at": i.iso(),
    },
    lambda i: {
        "isin": f"US{i.of('0123456789', 9)}{i.randrange(10)}",
        "wkn": i.of(UPPER, 6),
        "figi": "BBG" + i.of(UPPER, 9),
    },
    lambda i: {"candles": [[i.s(), i.price(), i.price(), i.price(), i.price(), i.whole(6)] for _ in range(5)]},
)


def fix(i: Ids) -> str:
    """A FIX 4.4 message; the separator is SOH, or `|` as logs show it."""
    sign = i.choice(["\x01", "|"])
    when = i.when().strftime("%Y%m%d-%H:%M:%S.") + i.digits(3)
    fields = [
        *("8=FIX.4.4", f"9={i.digits(3)}", "35=8", f"34={i.digits(6)}", "49=EXCH", "56=BROKER2", f"52={when}"),
        *(f"37={i.digits(12)}", f"11={i.order()}", f"17={i.digits(10)}", "150=F", "39=2", "55=MSFT", "54=1"),
        *(f"38={i.digits(4)}", f"31={i.price()}", f"6={i.price()}", f"60={when}", f"10={i.digits(3)}"),
    ]
    return sign.join(fields) + sign


CRYPTO: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "stream": "btcusdt@trade",
        "data": {
            "e": "trade",
            "E": i.ms(),
            "s": "BTCUSDT",
            "t": i.whole(10),
            "p": i.price(),
            "q": i.price(),
            "m": True,
        },
    },
    lambda i: {
        "method": "SUBSCRIBE",
        "params": ["ethbtc@depth20@100ms", "btcusdt@kline_1m", "!miniTicker@arr"],
        "id": 3,
    },
    lambda i: [340, [[i.price(), i.price(), i.fraction(), "b", "l", ""] for _ in range(3)], "trade", "XBT/USD"],
    lambda i: {
        "e": "depthUpdate",
        "E": i.ms(),
        "s": "ETHBTC",
        "U": i.whole(10),
        "u": i.whole(10),
        "b": [_level(i) for _ in range(6)],
        "a": [_level(i) for _ in range(6)],
    },
    lambda i: {
        "jsonrpc": "2.0",
        "method": "eth_subscription",
        "params": {
            "subscription": f"0x{i.hex(32)}",
            "result": {
                "number": f"0x{i.hex(7)}",
                "hash": f"0x{i.hex(64)}",
                "gasUsed": f"0x{i.hex(6)}",
                "nonce": f"0x{i.hex(16)}",
            },
        },
    },
    lambda i: {
        "block": {"hash": "0" * 19 + i.hex(45), "height": i.whole(6), "merkle_root": i.hex(64), "time": i.s()}
    },
    lambda i: {
        "channel": "l2_data",
        "events": [{"side": "bid", "px": i.price(), "id": i.uuid()}],
        "sequence_num": i.whole(9),
    },
    lambda i: {
        "arg": {"channel": "tickers", "instId": "BTC-USDT-251226"},
        "data": [{"last": i.price(), "ts": str(i.ms())}],
    },
    lambda i: {
        "sig": i.of(ALNUM.replace("O", "").replace("I", "").replace("l", "").replace("0", ""), 88),
        "slot": i.whole(9),
    },
)

SHOP: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "sku": i.sku(),
        "ean": i.ean(),
        "price": i.price(),
        "currency": "EUR",
        "stock": i.randrange(900),
        "at": i.iso(),
    },
    lambda i: {
        "order": i.order(),
        "items": [{"id": i.whole(10), "qty": 2, "title": "Mug, 330 ml", "isbn": i.isbn()}],
    },
    lambda i: {
        "parcel": {"tracking": i.tracking(), "state": "IN_TRANSIT", "weight": i.number(0, 30, 3), "scan": i.iso()}
    },
    lambda i: {
        "gift": {"code": i.cardlike(), "balance": i.price(), "expires": i.day()},
        "cart": i.uuid(),
        "mail": {"unread": 3},
    },
    lambda i: {
        "invoice": f"INV-{i.day_tag()}",
        "number": i.digits(10),
        "total": i.price(),
        "iban": None,
        "phone": "",
        "email": None,
    },
    lambda i: {"stores": [{"id": i.whole(4), "opens": "09:00-18:30", "lat": i.latitude(), "lng": i.longitude()}]},
    lambda i: {
        "form": {
            "email": "required",
            "phone": "optional",
            "birthday": "hidden",
            "card": {"brands": ["visa", "mc"]},
        }
    },
    lambda i: {
        "coupon": f"SAVE-{i.of(UPPER, 4)}-{i.of(UPPER, 4)}",
        "batch": i.digits(12, "1"),
        "ids": [i.whole(9) for _ in "1234567"],
    },
)

KINDS: dict[str, Callable[[Ids], str]] = {
    "trading": lambda i: dumps(i, one(i, TRADING)),
    "fix": fix,
    "crypto": lambda i: dumps(i, one(i, CRYPTO)),
    "shop": lambda i: dumps(i, one(i, SHOP)),
}
