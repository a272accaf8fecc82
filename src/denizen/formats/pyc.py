"""Compiled Python (.pyc): the strings in it changed, whatever their length becomes (pure).

Specification: CPython's Python/marshal.c and Lib/importlib/_bootstrap_external.py. A file is a header of 16
bytes (magic, flags, time and size of the source or its hash) and one marshalled object. Objects are walked in
order and copied; only strings are looked at. The lay-out of code objects changed with Python 3.8 and 3.11.

Limits: versions 3.8 to 3.14, and as many objects as there are bytes.
"""

from __future__ import annotations

from struct import Struct

from denizen.bytesio import take
from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = 16
_NUMBER = Struct("<I")
# Magic numbers: the first of 3.8's, of 3.11's, and the last known (3.14).
_FIRST, _SINCE_11, _LAST = 3400, 3450, 3679
_REFERABLE = 0x80
_BY_HASH = 1  # flag of the header (PEP 552)
_SHORT = 255

# Lengths of objects that are only a type and as many bytes.
_PLAIN = {ord(kind): size for kind, size in {
    "0": 0, "N": 0, "F": 0, "T": 0, "S": 0, ".": 0, "i": 4, "I": 8, "g": 8, "y": 16, "r": 4,
}.items()}  # fmt: skip
_STRINGS = {
    ord(kind): width for kind, width in {"a": 4, "A": 4, "z": 1, "Z": 1, "u": 4, "t": 4, "s": 4}.items()
}
# Sequences: the bytes of their count, and the objects for each.
_SEQUENCES = {ord(kind): size for kind, size in {"(": 4, "[": 4, "<": 4, ">": 4, ")": 1}.items()}
_LONG, _DICT, _CODE, _SLICE, _NULL = ord("l"), ord("{"), ord("c"), ord(":"), ord("0")
_TEXT_FLOAT, _TEXT_COMPLEX = ord("f"), ord("x")
_BYTES, _INTERNED = ord("s"), frozenset(b"tAZ")
# What follows in a code object: numbers of bytes, and -1 for an object.
_CODE_8 = (24, *[-1] * 8, 4, -1)
_CODE_11 = (20, *[-1] * 8, 4, -1, -1)


class BadPyc(BadInput):
    """The bytes are not a .pyc of a version that is known, or are malformed."""

    reason: str
    WHAT = "not compiled Python that can be changed"
    WHY = "{reason:text}"


def is_pyc(data: bytes) -> bool:
    """Tell whether the bytes start as a .pyc of a known version does."""
    magic = int.from_bytes(data[:2], "little")
    return len(data) >= HEADER and data[2:4] == b"\r\n" and _FIRST <= magic <= _LAST


def with_strings(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return the file with each string as `change` makes it; text is given as UTF-8.

    Raises:
        BadPyc, Truncated: it is malformed.
    """
    if not is_pyc(data):
        raise BadPyc("its magic number is unknown")
    magic = int.from_bytes(data[:2], "little")
    walk = _Walk(data, change, _CODE_11 if magic >= _SINCE_11 else _CODE_8)
    return data[:HEADER] + walk.whole()


def for_source(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a .pyc that was valid for one source as valid for another; others as they are.

    The header has the time and the size of the source, or the hash of its content (PEP 552); the hash is
    keyed by the magic number.
    """
    if not is_pyc(data):
        return data
    flags = int.from_bytes(data[4:8], "little")
    if flags & _BY_HASH:
        key = int.from_bytes(data[:4], "little")
        before, after = _source_hash(key, old), _source_hash(key, new)
        return data[:8] + after + data[HEADER:] if data[8:HEADER] == before else data
    before, after = (_NUMBER.pack(len(one) & 0xFFFFFFFF) for one in (old, new))
    return data[:12] + after + data[HEADER:] if data[12:HEADER] == before else data


def _source_hash(key: int, source: bytes) -> bytes:
    import _imp  # SipHash, as importlib uses it; importlib.util gives it for this Python's magic number alone

    found: bytes = _imp.source_hash(key, source)
    return found


class _Walk:
    """The copy of one marshalled object."""

    def __init__(self, data: bytes, change: Callable[[bytes], bytes], code: tuple[int, ...]) -> None:
        self._data, self._change, self._code = data, change, code
        self._at = HEADER
        self._made: list[bytes] = []
        # What is still to come, last first: numbers of bytes, -1 for an object, -2 for a dictionary's rest.
        self._pending = [-1]

    def whole(self) -> bytes:
        """Return the object, with what follows it."""
        while self._pending:
            wanted = self._pending.pop()
            if wanted >= 0:
                self._copy(wanted)
                continue
            kind = take(self._data, self._at, 1, "marshalled object")[0] & ~_REFERABLE
            if wanted == -2 and kind != _NULL:
                self._pending += [-2, -1]  # the key now; its value is asked for by the next round
            self._object(kind)
        return b"".join([*self._made, self._data[self._at :]])

    def _copy(self, size: int) -> None:
        self._made.append(take(self._data, self._at, size, "marshalled object"))
        self._at += size

    def _object(self, kind: int) -> None:
        if kind in _PLAIN:
            self._copy(1 + _PLAIN[kind])
        elif kind in _STRINGS:
            self._string(kind)
        elif kind in _SEQUENCES:
            width = _SEQUENCES[kind]
            count = int.from_bytes(take(self._data, self._at + 1, width, "marshalled sequence"), "little")
            # Each object that is still to come takes a byte at least.
            if count + len(self._pending) > len(self._data) - self._at:
                raise BadPyc("a sequence is longer than the file")
            self._copy(1 + width)
            self._pending += [-1] * count
        else:
            self._other(kind)

    def _other(self, kind: int) -> None:
        if kind == _LONG:
            (digits,) = Struct("<i").unpack(take(self._data, self._at + 1, 4, "marshalled number"))
            self._copy(5 + 2 * abs(digits))
        elif kind in (_TEXT_FLOAT, _TEXT_COMPLEX):
            self._copy(1)
            for _ in range(1 if kind == _TEXT_FLOAT else 2):
                self._copy(1 + take(self._data, self._at, 1, "marshalled number")[0])
        elif kind == _DICT:
            self._copy(1)
            self._pending.append(-2)
        elif kind == _SLICE:
            self._copy(1)
            self._pending += [-1] * 3
        elif kind == _CODE:
            self._copy(1)
            self._pending += self._code[::-1]
        else:
            raise BadPyc(f"an object of type {kind}")

    def _string(self, kind: int) -> None:
        width = _STRINGS[kind]
        size = int.from_bytes(take(self._data, self._at + 1, width, "marshalled string"), "little")
        old = take(self._data, self._at + 1 + width, size, "marshalled string")
        new = self._change(old)
        if new == old:
            self._copy(1 + width + size)
            return
        flag = self._data[self._at] & _REFERABLE
        kind = _kind_of(kind, new)
        length = bytes([len(new)]) if _STRINGS[kind] == 1 else _NUMBER.pack(len(new))
        self._made.append(bytes([kind | flag]) + length + new)
        self._at += 1 + width + size


def _kind_of(kind: int, text: bytes) -> int:
    """Return the type by which marshal writes a string: ASCII has two of its own, by its length."""
    if kind == _BYTES:
        return kind
    form = 0 if not text.isascii() else 1 if len(text) > _SHORT else 2
    return ord(("tAZ" if kind in _INTERNED else "uaz")[form])
