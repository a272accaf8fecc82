"""Distances in x86-64 code, replaced by addresses before a bundle's image is compressed (pure).

Instructions name what they call, jump to or read by its distance from the next instruction. As addresses, the
same target has the same bytes wherever it is named from: blocks get 6 % smaller. Specification:
docs/formats/bundle.md; the reverse is loader/unpack/x86.c.

A field is known by the opcode before it, without disassembly; fields do not overlap. The reverse goes from
the beginning, so that it has the content's own bytes before each field, finds the same fields, and gives back
the same bytes, whatever they were.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD = 4
# ModRM: at a distance from the next instruction.
_RELATIVE = rb"[\x05\x0d\x15\x1d\x25\x2d\x35\x3d]"
# Opcodes and their sizes. All but the first byte is looked ahead at, for those that begin within another.
_OPCODES = (
    (rb"[\xe8\xe9]", 1),  # call, jmp
    (rb"\x0f(?=[\x80-\x8f])", 2),  # jcc
    (rb"\xff(?=[\x15\x25])", 2),  # call, jmp through a pointer
    (rb"[\x48\x4c](?=[\x8b\x8d\x89\x39\x3b\x03]" + _RELATIVE + rb")", 3),  # REX.W: mov, lea, cmp, add
    (rb"\x0f(?=[\x10-\x7f\xb0-\xff]" + _RELATIVE + rb")", 3),  # SSE
    (rb"\xc5(?=.[\x10-\xff]" + _RELATIVE + rb")", 4),  # VEX of two bytes
    (rb"\xc4(?=..[\x10-\xff]" + _RELATIVE + rb")", 5),  # VEX of three bytes
)
_ANY_OPCODE = re.compile(rb"|".join(rb"(%b)" % pattern for pattern, _ in _OPCODES), re.DOTALL)
_SIZES = (0, *(size for _, size in _OPCODES))
# The last byte of a distance of less than 16 MiB. It stays.
_SIGNS = (0x00, 0xFF)
_BITS = (1 << 25) - 1


def with_addresses(content: bytes) -> bytes:
    """Return the content with addresses in place of distances."""
    found = bytearray(content)
    for at in _fields(content):
        found[at : at + _FIELD] = _address(content[at : at + _FIELD], at + _FIELD)
    return bytes(found)


def with_distances(content: bytes) -> bytes:
    """Return the content that `with_addresses` was given."""
    found = bytearray(content)
    longest = max(_SIZES)
    at = 1
    while at <= len(found) - _FIELD:
        before = bytes(found[max(0, at - longest) : at])
        if not _ends_with_opcode(before):
            at += 1
            continue
        found[at : at + _FIELD] = _distance(bytes(found[at : at + _FIELD]), at + _FIELD)
        at += _FIELD
    return bytes(found)


def _fields(content: bytes) -> Iterator[int]:
    """Yield where the fields begin, each behind the one before it."""
    opcodes = _ANY_OPCODE.finditer(content)
    free = 0
    for at in sorted([one.start() + _SIZES[one.lastindex or 0] for one in opcodes]):
        if free <= at <= len(content) - _FIELD:
            yield at
            free = at + _FIELD


def _ends_with_opcode(before: bytes) -> bool:
    return any(
        len(before) - one.start() == _SIZES[one.lastindex or 0] for one in _ANY_OPCODE.finditer(before)
    )


def _address(field: bytes, end: int) -> bytes:
    """Return an address: 24 bits, the highest byte first, so that near ones begin alike, and the sign."""
    if field[3] not in _SIGNS:
        return field
    address = (int.from_bytes(field, "little") + end) & _BITS
    return (address & 0xFFFFFF).to_bytes(3, "big") + bytes((_SIGNS[address >> 24],))


def _distance(field: bytes, end: int) -> bytes:
    if field[3] not in _SIGNS:
        return field
    address = (field[3] & 1) << 24 | int.from_bytes(field[:3], "big")
    distance = (address - end) & _BITS
    return (distance & 0xFFFFFF).to_bytes(3, "little") + bytes((_SIGNS[distance >> 24],))
