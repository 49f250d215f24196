"""Check digits and checksums, to write values that hold: Luhn, ISO 7064, base58check, bech32."""

from __future__ import annotations

from hashlib import sha256

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def luhn_check(body: str) -> str:
    """`body` and its check digit (ISO/IEC 7812-1 annex B)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body)))
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def iban_check(country: str, account: str) -> str:
    """The IBAN of an account: its check digits make the whole 1 modulo 97 (ISO 13616, ISO 7064)."""
    digits = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{account}"


def base58(payload: bytes) -> str:
    """Version and hash with four bytes of checksum, as Bitcoin writes them."""
    raw = payload + sha256(sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(raw), ""
    while number:
        number, place = divmod(number, 58)
        text = BASE58[place] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def bech32(prefix: str, version: int, program: bytes) -> str:
    """A segregated witness address: BIP 173 for version 0, BIP 350 for the others."""
    bits = "".join(f"{byte:08b}" for byte in program)
    bits += "0" * (-len(bits) % 5)
    data = [version, *(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))]
    expanded = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    sum_ = _polymod([*expanded, *data, *(0,) * 6]) ^ (0x2BC830A3 if version else 1)
    data += [sum_ >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{prefix}1" + "".join(BECH32[value] for value in data)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check
