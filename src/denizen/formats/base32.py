"""Nix's base-32 encoding of bytes (pure).

Specification: Nix, src/libutil/hash.cc (printHash32) and the manual's "Store path specification".
Digits come from an alphabet without `e`, `o`, `t`, `u` (so that no word appears by accident), the
bytes are read as one little-endian number, and the most significant digit is written first. The
number is not padded to a multiple of five bits: the unused high bits of the first digit are zero,
and text in which they are not is refused, so every value has one spelling.
"""

from __future__ import annotations

from denizen.errors import BadInput, display

ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
_VALUES = {ord(digit): value for value, digit in enumerate(ALPHABET)}


class BadBase32(BadInput):
    """The text is not the Nix base-32 form of any bytes."""

    text: str
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"'{display(self.text[:80])}' is not a Nix base-32 value"


def digits_for(size: int) -> int:
    """Return the number of digits that `size` bytes take."""
    return (size * 8 + 4) // 5


def encode(content: bytes) -> str:
    """Return `content` in base 32."""
    number = int.from_bytes(content, "little")
    shifts = range(5 * (digits_for(len(content)) - 1), -1, -5)
    return "".join([ALPHABET[(number >> shift) & 31] for shift in shifts])


def decode(text: str) -> bytes:
    """Return the bytes whose base-32 form is `text`.

    Raises:
        BadBase32: a character outside the alphabet, or a length or high bits that no bytes have.
    """
    size = len(text) * 5 // 8
    if digits_for(size) != len(text):
        raise BadBase32(text, f"no number of bytes takes {len(text)} digits")
    number = 0
    for character in text:
        value = _VALUES.get(ord(character))
        if value is None:
            raise BadBase32(text, f"'{display(character)}' is not in the alphabet {ALPHABET}")
        number = number << 5 | value
    if number >> (size * 8):
        raise BadBase32(text, "its unused high bits are not zero")
    return number.to_bytes(size, "little")
