"""Mutations that know what binary and line-based formats are made of.

Deterministic: the same seeds, number and input index give the same bytes on every machine, so a failure
is reproduced by its index.
"""

import random
from collections.abc import Callable, Sequence
from typing import Literal

# Lengths, offsets and counts at the edges of their types.
EXTREMES = (
    0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 0x7F, 0x80, 0xFF, 0x100, 0xFFF, 0x1000, 0x7FFF, 0x8000, 0xFFFF,
    0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
# Half of all changes go here: headers are where formats keep their promises.
HEAD = 512
MAX_CHANGES = 6

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(seeds: Sequence[bytes], tokens: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds with one to six changes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, MAX_CHANGES)):
        change = chance.choice(_CHANGES)
        change(chance, data, tokens if change is _token else seeds)
    return bytes(data)


def _place(chance: random.Random, data: bytearray) -> int:
    return chance.randrange(min(len(data), HEAD) if chance.random() < 0.5 else len(data)) if data else 0


def _order(chance: random.Random) -> Literal["little", "big"]:
    return "little" if chance.random() < 0.5 else "big"


def _flip_bit(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(chance, data)] ^= 1 << chance.randrange(8)


def _set_byte(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(chance, data)] = chance.randrange(256)


def _set_field(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number of 2, 4 or 8 bytes, aligned, becomes an extreme or a size near the input's own."""
    width = chance.choice((2, 4, 4, 8))
    at = _place(chance, data) // width * width
    near = len(data) + chance.choice((-1, 0, 1, -at))
    number = chance.choice((*EXTREMES, near, chance.randrange(0x1000))) % (1 << 8 * width)
    data[at : at + width] = number.to_bytes(width, _order(chance))


def _nudge_field(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number of 4 or 8 bytes moves a little."""
    width = chance.choice((4, 8))
    at = _place(chance, data) // width * width
    order = _order(chance)
    number = int.from_bytes(data[at : at + width], order) + chance.choice((-24, -8, -1, 1, 8, 24, 0x1000))
    data[at : at + width] = (number % (1 << 8 * width)).to_bytes(width, order)


def _copy_field(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """One aligned word overwrites another: an address where a size was."""
    width = chance.choice((4, 8, 16))
    source, target = _place(chance, data) // width * width, _place(chance, data) // width * width
    data[target : target + width] = data[source : source + width]


def _truncate(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_place(chance, data) :]


def _delete(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chance, data)
    del data[at : at + chance.choice((1, 2, 4, 8, 16, 64))]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(chance, data)
    data[at:at] = data[at : at + chance.choice((1, 4, 8, 16, 64))] * chance.choice((1, 2, 16))


def _splice(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    """The head of one input with the tail of another."""
    other = chance.choice(seeds)
    at = _place(chance, data)
    data[at:] = other[min(at, len(other)) :]


def _token(chance: random.Random, data: bytearray, tokens: Sequence[bytes]) -> None:
    """A word the format knows, written over or put between what is there."""
    if not tokens:
        return
    token, at = chance.choice(tokens), _place(chance, data)
    data[at : at + (len(token) if chance.random() < 0.5 else 0)] = token


_CHANGES: tuple[Change, ...] = (
    _flip_bit,
    _set_byte,
    _set_field,
    _set_field,
    _set_field,
    _nudge_field,
    _copy_field,
    _truncate,
    _delete,
    _repeat,
    _splice,
    _token,
)
