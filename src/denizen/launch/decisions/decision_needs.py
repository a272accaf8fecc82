"""The needs of a kept decision, read from its file without making a `Decision` of it (pure).

An installation asks it of each command. The values of a decision and their codec take 1 ms to import, a
twentieth of the installation of an object. docs/formats/decision.md has the format.
"""

from __future__ import annotations

from itertools import accumulate

from denizen.launch.decisions import MAX_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGINNING = b"DENIZEN\x01" + (2).to_bytes(4, "little")
_HEADER = 240
_SUM, _GENERATION, _LDSO, _SEARCH, _LIBRARIES, _OBJECTS, _STRINGS = 24, 100, 168, 172, 200, 208, 232
_LIBRARY_SIZE, _OBJECT_SIZE = 16, 4
_WORD = (1 << 64) - 1


def needs_of(content: bytes) -> tuple[int, list[bytes], list[bytes], bytes] | None:
    """Return the generation, the objects, the dynamic linker with the libraries, and the directory of them.

    Return None for a file that is damaged or of another version.
    """
    if len(content) < _HEADER or len(content) > MAX_SIZE or not _is_whole(content):
        return None
    strings = content[_number(content, _STRINGS) :]
    try:
        objects = [_text(strings, at) for at in _rows(content, _OBJECTS, _OBJECT_SIZE)]
        libraries = [_text(strings, at) for at in _rows(content, _LIBRARIES, _LIBRARY_SIZE)]
        ldso, search = (_text(strings, _number(content, at)) for at in (_LDSO, _SEARCH))
    except ValueError:
        return None  # a table or a string leads out of the file
    return _number(content, _GENERATION), objects, [ldso, *libraries], search


def _is_whole(content: bytes) -> bool:
    if not content.startswith(_BEGINNING) or len(content) % 8:
        return False
    blank = content[:_SUM] + bytes(16) + content[_SUM + 16 :]
    words = [int.from_bytes(blank[at : at + 8], "little") for at in range(0, len(blank), 8)]
    sums = (sum(words) & _WORD, sum(accumulate(words)) & _WORD)
    return content[_SUM : _SUM + 16] == b"".join([one.to_bytes(8, "little") for one in sums])


def _number(content: bytes, at: int) -> int:
    if at + 4 > len(content):
        raise ValueError(at)
    return int.from_bytes(content[at : at + 4], "little")


def _rows(content: bytes, table: int, size: int) -> Iterator[int]:
    """Yield the first number of each row of a table: where its path is among the strings."""
    start, count = _number(content, table), _number(content, table + 4)
    return (_number(content, start + size * row) for row in range(count))


def _text(strings: bytes, at: int) -> bytes:
    return strings[at : strings.index(b"\0", at)]
