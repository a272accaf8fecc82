"""Verification of Ed25519 signatures, in integer arithmetic (pure).

Specification: RFC 8032, sections 5.1.2-5.1.4 (encoding, decoding, addition) and 5.1.7 (verification).

Why not a library: `run` must be able to verify a binary cache on a host where nothing can be
installed, and for one signature this is faster: 2 ms, where importing `cryptography` takes 19 ms and
16 MB. Python's integers take a time that depends on their values, which is harmless here because nothing
is secret. Signing has a secret and is not done here.

Of the choices the RFC leaves open this makes the strict ones, as libsodium (which Nix uses) does: S
below the group order, no second encoding of a point, no key of small order, R compared as bytes.
"""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x*y = T/Z.
    Point: TypeAlias = tuple[int, int, int, int]

KEY_SIZE = 32
SIGNATURE_SIZE = 64

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_NEUTRAL: Point = (0, 1, 1, 0)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` was made over `message` with the secret key that belongs to `key`.

    `key` has 32 bytes and `signature` 64; any other length is a failure.
    """
    if len(key) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    public = _decode(key)
    s = int.from_bytes(signature[32:], "little")
    if public is None or s >= _ORDER or _is_small(public):
        return False
    challenge = hashlib.sha512(signature[:32] + key + message).digest()
    h = int.from_bytes(challenge, "little") % _ORDER
    return _encode(_combine(s, _BASE, h, _negate(public))) == signature[:32]


def _combine(a: int, left: Point, b: int, right: Point) -> Point:
    """Return a*left + b*right, computed together: half the doublings of computing them apart."""
    table = (_NEUTRAL, left, right, _add(left, right))
    total = _NEUTRAL
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        total = _double(total)
        which = (a >> bit & 1) | (b >> bit & 1) << 1
        if which:
            total = _add(total, table[which])
    return total


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * _D * one[3] * other[3] % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: Point) -> Point:
    a = point[0] * point[0] % _P
    b = point[1] * point[1] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2 % _P
    g = a - b
    f = 2 * point[2] * point[2] % _P + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negate(point: Point) -> Point:
    return -point[0] % _P, point[1], point[2], -point[3] % _P


def _is_small(point: Point) -> bool:
    """Return whether the point's order divides 8: such a "key" accepts signatures that anyone can make."""
    for _ in range(3):
        point = _double(point)
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(encoded: bytes) -> Point | None:
    """Return the encoded point, or None where the bytes encode no point, or not in the canonical way."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _SQRT_MINUS_ONE % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _base() -> Point:
    point = _decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE = _base()
