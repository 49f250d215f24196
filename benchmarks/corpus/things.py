"""Clean messages of machines and games: sensors, meters, charging points, players' positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import UPPER, Ids, dumps, one

IOT: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {"device": f"sensor-{i.digits(5)}", "ts": i.ms(), "temp": i.number(-20, 45), "hum": i.number(0, 99)},
    lambda i: {
        "deviceId": f"d-{i.hex(8)}",
        "seq": i.whole(6),
        "readings": [{"t": i.s(), "v": i.number(220, 240)} for _ in range(5)],
        "rssi": -67,
    },
    lambda i: {
        "bn": f"urn:dev:ow:{i.hex(16)}:",
        "bt": float(i.s()),
        "e": [{"n": "temperature", "u": "Cel", "v": i.number(0, 40)}, {"n": "humidity", "u": "%RH", "v": 67}],
    },
    lambda i: {
        "meter": i.digits(13, "13"),
        "kwh": i.number(0, 90_000, 3),
        "phase": {"l1": 231.1, "l2": 229.8},
        "ts": i.iso(),
    },
    lambda i: {
        "modbus": {
            "unit": 17,
            "address": 40_001 + i.randrange(900),
            "registers": [i.randrange(65_536) for _ in "12345678"],
        }
    },
    lambda i: {
        "i2c": [{"address": f"0x{i.hex(2)}", "name": "bme280"}],
        "gpio": {"pin": i.randrange(40), "state": "HIGH"},
    },
    lambda i: {
        "gps": {"lat": i.latitude(), "lon": i.longitude(), "alt": i.number(0, 900), "hdop": 0.9},
        "fix": i.iso(),
    },
    lambda i: {
        "topic": f"plant/line{i.randrange(9)}/plc2/status",
        "payload": {
            "state": "RUN",
            "cycle": i.whole(7),
            "oee": 0.874,
            "serial": f"SN{i.digits(10)}",
            "fw": i.semver(),
        },
    },
    lambda i: {
        "devEUI": i.hex(16).upper(),
        "fPort": 2,
        "fCnt": i.whole(5),
        "data": i.base64(18),
        "freq": 868_100_000,
    },
    lambda i: {
        "ota": {"file": f"fw-{i.semver()}.bin", "sha256": i.hex(64), "size": i.whole(7), "mac": "hmac-sha256"}
    },
    lambda i: {
        "d": i.digits(10),
        "m": [[i.s(), i.whole(9), i.number(0, 1, 6)] for _ in range(8)],
        "crc": f"0x{i.hex(8)}",
    },
)

# [type, unique id, action, payload], OCPP 1.6-J section 4.2; no idTag, because that is somebody's card
OCPP: tuple[Callable[[Ids], Any], ...] = (
    lambda i: [2, i.uuid(), "Heartbeat", {}],
    lambda i: [3, i.digits(10), {"currentTime": i.iso()}],
    lambda i: [
        2,
        i.digits(8),
        "BootNotification",
        {
            "chargePointVendor": "Examplo",
            "chargePointModel": f"X-{i.digits(4)}",
            "chargePointSerialNumber": f"{i.of(UPPER, 4)}.{i.digits(3)}.{i.digits(5)}.R{i.digits(3)}",
            "firmwareVersion": i.semver(),
            "meterType": "AVG NQC-ACDC",
        },
    ],
    lambda i: [
        2,
        i.uuid(),
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": i.whole(10),
            "meterValue": [
                {
                    "timestamp": i.iso(),
                    "sampledValue": [
                        {"value": i.digits(8), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                        {
                            "value": str(i.number(0, 32)),
                            "measurand": "Current.Import",
                            "phase": "L1",
                            "location": "Outlet",
                        },
                    ],
                }
            ],
        },
    ],
    lambda i: [
        2,
        i.digits(6),
        "StatusNotification",
        {"connectorId": 2, "errorCode": "NoError", "status": "Charging"},
    ],
    lambda i: [
        3,
        i.uuid(),
        {"transactionId": i.whole(9), "idTagInfo": {"status": "Accepted", "expiryDate": i.iso()}},
    ],
    lambda i: [4, i.uuid(), "PropertyConstraintViolation", "connectorId must be >= 0", {"value": -1}],
)

GAMING: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "tick": i.whole(7),
        "players": [
            {
                "id": f"p_{i.digits(5)}",
                "x": i.number(-4000, 4000),
                "y": i.number(-4000, 4000),
                "hp": 73,
                "yaw": 181.2,
            }
            for _ in range(4)
        ],
    },
    lambda i: {
        "type": "deal",
        "card": "Ace of spades",
        "hand": ["Kd", "10h"],
        "street": "river",
        "pot": i.whole(4),
        "seat": 4,
    },
    lambda i: {
        "op": "match.found",
        "matchId": i.uuid(),
        "mmr": i.whole(4),
        "region": "eu-west-1",
        "port": i.port(),
    },
    lambda i: {
        "cmd": "move",
        "san": "Nf3",
        "uci": "g1f3",
        "clock": {"w": 292.4, "b": 287.9},
        "fen": "rnbqkbnr/pp1ppppp/8/2p5 w",
    },
    lambda i: {"leaderboard": [[n, i.digits(10), i.whole(6)] for n in range(1, 7)], "season": 14, "resets": i.s()},
    lambda i: {
        "state": "LOBBY",
        "code": i.of(UPPER, 6),
        "seed": i.snowflake(),
        "build": i.semver(),
        "map": "de_dust_2",
    },
    lambda i: {
        "item": {"uid": i.snowflake(), "name": "Sword of Dawn +3", "color": i.color(), "price": i.whole(5)}
    },
    lambda i: {"v": [i.number(-1, 1, 6) for _ in range(12)], "t": i.us(), "ack": i.whole(8), "bits": i.hex(24)},
    lambda i: {"event": "key", "key": "ArrowUp", "code": "KeyW", "mobile": True, "first": False, "last": True},
)

KINDS: dict[str, Callable[[Ids], str]] = {
    "iot": lambda i: dumps(i, one(i, IOT)),
    "ocpp": lambda i: dumps(i, one(i, OCPP)),
    "gaming": lambda i: dumps(i, one(i, GAMING)),
}
