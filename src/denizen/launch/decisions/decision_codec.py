"""The file format of decisions, which the C loader reads (pure).

Specification: docs/formats/decision.md; the reader is loader/decision.c. Little-endian, every
table 8-byte aligned, position independent:

    file    = header(240) tables strings
    header  = magic(8) version(4) flags(4) size(4) machine(4) sum(16)
              device(8) inode(8) file_size(8) mtime_ns(8) ctime_ns(8) headers(16)
              build_id_length(4) generation(4) build_id(64)
              ldso(4) search(4) program(4) shown(4) resources(4) opened(4) r_debug(8)
              libraries(8) objects(8) command(8) edits(8) strings(8)
    table   = offset(4) count(4)                     of libraries, objects, command, edits
    library = path(4) name(4) flags(4) zero(4)
    object  = path(4);  argument = string(4)         each table padded to 8
    edit    = address(8) old(4) new(4) length(4) target(4)
    strings = bytes; the last one is NUL

A string is named by its offset in `strings` and ends at the first NUL; the two byte strings of an
edit have a length instead. Both readers check everything before they use anything: the sum, that
each table lies between header and strings, that each string starts inside `strings`, that paths
are absolute. The sum is chosen for the C side, which computes it at every start: two additions for
eight bytes, where a CRC-32 looks up every byte in a table.
"""

from __future__ import annotations

import struct

from denizen.errors import BadInput
from denizen.launch.decisions import MAX_SIZE
from denizen.launch.decisions.decision import Decision, DecisionLibrary, Edit
from denizen.launch.decisions.program_identity import Identity, sum_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")

MAGIC = b"DENIZEN\x01"
VERSION = 2
# Rows of each table: far more than any program loads, in a table of at most 64 KiB.
MAX_ROWS = 4096
MAX_BUILD_ID = 64
MAX_EDITS = 64
# (program, optional) of an edit, by the number of its target (loader/decision.h, enum edit_target).
_EDIT_TARGETS = ((False, False), (True, False), (False, True))
HEADER = struct.Struct("<8sIIII16s QQQqq16s II64s IIIIIIQ IIIIIIIIII")
LIBRARY = struct.Struct("<IIII")
STRING = struct.Struct("<I")
EDIT = struct.Struct("<QIIII")
_SUM_AT = 24

FLAG_HOST = 1
FLAG_BY_NAME = 2
FLAG_EXECUTES = 4
FLAG_NAMES = 8
_KNOWN_FLAGS = FLAG_HOST | FLAG_BY_NAME | FLAG_EXECUTES | FLAG_NAMES
LIBRARY_PINNED = 1
LIBRARY_RENAMED = 2


class DamagedDecision(BadInput):
    """The error that a decision file breaks its format; `rule` says which rule, `offset` where (bytes)."""

    rule: str
    offset: int = 0
    WHAT = "the decision file is damaged"
    WHY = "{rule:text} (at offset {offset:#x})"
    REMEDY = "remove it, or run the program with `denizen run`: it is made again"


class Unencodable(BadInput):
    """The error that a decision has a value that the format cannot hold."""

    rule: str
    WHAT = "the decision cannot be written"
    WHY = "{rule:text}"


class _DecisionStrings:
    """The string area of a file under construction; equal strings are stored once."""

    def __init__(self) -> None:
        self.content = bytearray(b"\0")  # offset 0 is the empty string
        self._seen: dict[bytes, int] = {b"": 0}

    def add(self, text: bytes) -> int:
        if b"\0" in text:
            raise Unencodable("a path or name holds a NUL byte")
        offset = self._seen.get(text)
        if offset is None:
            offset = self._seen[text] = self.add_raw(text)
        return offset

    def add_raw(self, content: bytes) -> int:
        offset = len(self.content)
        self.content += content + b"\0"
        return offset


def encode(decision: Decision) -> bytes:
    """Return the bytes of the file for a decision.

    Raises:
        Unencodable: a path is not absolute, a string holds NUL, or a limit is exceeded.
    """
    from denizen.bytesio import align_up

    _check(decision)
    strings = _DecisionStrings()
    names = (decision.ldso, decision.search, decision.program, decision.shown, decision.resources)
    named = [strings.add(name) for name in (*names, decision.opened)]
    body, places = _lay_out(_tables(decision, strings))
    strings_at = HEADER.size + len(body)
    size = align_up(strings_at + len(strings.content), 8)
    if size > MAX_SIZE:
        raise Unencodable(f"it would have {size} bytes, the loader reads {MAX_SIZE}")
    strings.content += bytes(size - strings_at - len(strings.content))
    header = HEADER.pack(
        *(MAGIC, VERSION, _decision_flags(decision), size),
        *(decision.machine, bytes(16)),
        *(decision.identity.device, decision.identity.inode, decision.identity.size),
        *(decision.identity.mtime_ns, decision.identity.ctime_ns, decision.headers),
        *(len(decision.build_id), decision.generation, decision.build_id),
        *(*named, decision.r_debug),
        *places,
        *(strings_at, len(strings.content)),
    )
    unsigned = header + body + bytes(strings.content)
    return unsigned[:_SUM_AT] + sum_words(unsigned) + unsigned[_SUM_AT + 16 :]


def _tables(decision: Decision, strings: _DecisionStrings) -> tuple[list[bytes], ...]:
    """Return the rows of each table; what they name is added to the strings."""
    return (
        [
            LIBRARY.pack(strings.add(item.path), strings.add(item.name), _flags(item), 0)
            for item in decision.libraries
        ],
        [STRING.pack(strings.add(path)) for path in decision.objects],
        [STRING.pack(strings.add(argument)) for argument in decision.command],
        [
            EDIT.pack(
                edit.address,
                strings.add_raw(edit.old),
                strings.add_raw(edit.new),
                len(edit.old),
                _EDIT_TARGETS.index((edit.program, edit.optional)),
            )
            for edit in decision.edits
        ],
    )


def _decision_flags(decision: Decision) -> int:
    found = FLAG_HOST * decision.host | FLAG_BY_NAME * decision.by_name
    return found | FLAG_EXECUTES * decision.executes | FLAG_NAMES * decision.names_commands


def _flags(library: DecisionLibrary) -> int:
    return LIBRARY_PINNED * library.pinned | LIBRARY_RENAMED * library.renamed


def _lay_out(tables: Sequence[Sequence[bytes]]) -> tuple[bytes, list[int]]:
    """Return the tables one after the other, and the offset and count of each."""
    from denizen.bytesio import align_up

    body = bytearray()
    places: list[int] = []
    for rows in tables:
        places += (HEADER.size + len(body), len(rows))
        body += b"".join(rows)
        body += bytes(align_up(len(body), 8) - len(body))
    return bytes(body), places


def _check(decision: Decision) -> None:
    """Raise Unencodable for a decision that a reader would refuse."""
    absolute = [decision.ldso, *(item.path for item in decision.libraries), *decision.objects]
    absolute += [
        path for path in (decision.search, decision.shown, decision.resources, decision.opened) if path
    ]
    absolute += list(decision.command[:1])
    for path in absolute:
        if not path.startswith(b"/"):
            raise Unencodable(f"{path!r} is not an absolute path")
    for rows, limit in (
        (decision.libraries, MAX_ROWS),
        (decision.objects, MAX_ROWS),
        (decision.command, MAX_ROWS),
        (decision.edits, MAX_EDITS),
    ):
        if len(rows) > limit:
            raise Unencodable(f"a table of {len(rows)} rows; {limit} is the limit")
    if len(decision.build_id) > MAX_BUILD_ID or len(decision.headers) != 16:
        raise Unencodable("a build-id or header sum of the wrong length")
    if any(len(edit.old) != len(edit.new) or not edit.old for edit in decision.edits):
        raise Unencodable("an edit that changes the length")


def decode(content: bytes) -> Decision:
    """Return the decision in a file's bytes.

    Raises:
        DamagedDecision: the bytes break a rule of the format.
    """
    if len(content) < HEADER.size:
        raise DamagedDecision("shorter than its header", len(content))
    fields = HEADER.unpack_from(content)
    flags, machine = _check_header(content, fields)
    identity, headers = Identity(*fields[6:11]), fields[11]
    id_length, generation, build_id, ldso, search, program, shown, resources, opened, r_debug = fields[12:22]
    places = fields[22:]
    reader = _DecisionReader(content, places[-2], places[-1])
    return Decision(
        identity=identity,
        headers=headers,
        machine=machine,
        ldso=reader.path(ldso),
        build_id=build_id[:id_length],
        search=reader.path(search) if search else b"",
        program=reader.string(program),
        libraries=reader.table(places[0:2], LIBRARY, reader.library, MAX_ROWS),
        objects=reader.table(places[2:4], STRING, reader.path, MAX_ROWS),
        command=reader.table(places[4:6], STRING, reader.string, MAX_ROWS),
        edits=reader.table(places[6:8], EDIT, reader.edit, MAX_EDITS),
        r_debug=r_debug,
        host=bool(flags & FLAG_HOST),
        by_name=bool(flags & FLAG_BY_NAME),
        executes=bool(flags & FLAG_EXECUTES),
        names_commands=bool(flags & FLAG_NAMES),
        shown=reader.path(shown) if shown else b"",
        resources=reader.path(resources) if resources else b"",
        opened=reader.path(opened) if opened else b"",
        generation=generation,
    )


def _check_header(content: bytes, fields: Sequence[Any]) -> tuple[int, int]:
    """Return the flags and the machine of a valid header. Raises DamagedDecision."""
    magic, version, flags, size, machine, stored = fields[:6]
    if magic != MAGIC or version != VERSION:
        raise DamagedDecision("not a decision of this version")
    if size != len(content) or size % 8 or size > MAX_SIZE:
        raise DamagedDecision("its size is not the one it states", 16)
    if sum_words(content[:_SUM_AT] + bytes(16) + content[_SUM_AT + 16 :]) != stored:
        raise DamagedDecision("its sum is wrong", _SUM_AT)
    id_length = fields[12]
    if flags & ~_KNOWN_FLAGS or id_length > MAX_BUILD_ID:
        raise DamagedDecision("a field has a value this version does not know", 12)
    return flags, machine


class _DecisionReader:
    """The checked access to tables and strings of one file."""

    def __init__(self, content: bytes, strings_at: int, strings_size: int) -> None:
        outside = strings_at < HEADER.size or strings_at + strings_size != len(content)
        if outside or not strings_size or content[-1]:
            raise DamagedDecision("its strings do not end the file with a NUL", strings_at)
        self._content = content
        self._strings_at = strings_at
        self._size = strings_size

    def string(self, offset: int) -> bytes:
        if offset >= self._size:
            raise DamagedDecision("a string starts outside the strings", offset)
        start = self._strings_at + offset
        return self._content[start : self._content.index(b"\0", start)]

    def path(self, offset: int) -> bytes:
        text = self.string(offset)
        if not text.startswith(b"/"):
            raise DamagedDecision("a path is not absolute", self._strings_at + offset)
        return text

    def library(self, path: int, name: int, flags: int, zero: int) -> DecisionLibrary:
        if zero or flags & ~(LIBRARY_PINNED | LIBRARY_RENAMED):
            raise DamagedDecision("a library has a flag this version does not know")
        pinned, renamed = bool(flags & LIBRARY_PINNED), bool(flags & LIBRARY_RENAMED)
        return DecisionLibrary(self.path(path), self.string(name), pinned, renamed)

    def edit(self, address: int, old: int, new: int, length: int, target: int) -> Edit:
        if target >= len(_EDIT_TARGETS) or not length or max(old, new) + length > self._size:
            raise DamagedDecision("an edit lies outside the strings", self._strings_at + old)
        at = self._strings_at
        return Edit(
            address,
            self._content[at + old : at + old + length],
            self._content[at + new : at + new + length],
            program=_EDIT_TARGETS[target][0],
            optional=_EDIT_TARGETS[target][1],
        )

    def table(
        self, place: Iterable[int], row: struct.Struct, read: Callable[..., T], limit: int
    ) -> tuple[T, ...]:
        offset, count = place
        end = offset + count * row.size
        if offset % 8 or offset < HEADER.size or count > limit or end > self._strings_at:
            raise DamagedDecision("a table lies outside its place", offset)
        return tuple(read(*fields) for fields in row.iter_unpack(self._content[offset:end]))
