"""Notes of PT_NOTE segments: build-id, ABI, GNU properties, package and dlopen metadata (pure).

Specifications: gABI "Note Section"; glibc elf/elf.h (GNU notes); Linux Extensions to gABI (properties);
the UAPI group's "Package Metadata for Executable Files" and "dlopen() Metadata for ELF Files", whose
default priority is `recommended`, and whose first version allowed one object in place of an array and one
soname in place of a list.

    namesz:4 descsz:4 type:4 name[namesz] pad desc[descsz] pad     padded to 4 bytes, to 8 where p_align is 8

A `.note.dlopen` section that is not allocated lies in no segment and is not found; the tools of the
specification's authors do not find it after strip(1) either.

Limits: the segments together are no larger than the file and hold 1,024 notes (4 were the most in 5,000
files), each with 64 properties; 64 KiB and no deep nesting for JSON.

Notes describe the program and do not decide how it is loaded, and patchelf is known to leave a PT_NOTE
whose second half is overwritten. So a broken note ends its segment, `Notes.fault` holds the error, and the
notes before it can be read. The content of a note is parsed at first use.
"""

from __future__ import annotations

from struct import Struct

from denizen.bytesio import align_up, take
from denizen.elf.cached_property import once
from denizen.elf.constants import PT_NOTE
from denizen.elf.errors import Malformed
from denizen.errors import BadInput
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.bytesio import Buffer
    from denizen.elf.header import Header, Segment

MAX_NOTES = 1024
MAX_PROPERTIES = 64
MAX_JSON = 64 * 1024

_GNU, _FDO = b"GNU", b"FDO"
_ABI_TAG, _BUILD_ID, _PROPERTY = 1, 3, 5
_PACKAGE, _DLOPEN = 0xCAFE1A7E, 0x407C0C0A
_SYSTEMS = {0: "Linux", 1: "Hurd", 2: "Solaris", 3: "FreeBSD", 4: "NetBSD", 5: "Syllable", 6: "NaCl"}

# GNU_PROPERTY_X86_ISA_1_NEEDED: glibc refuses the file on a processor below this level.
X86_ISA_NEEDED = 0xC0008002
PRIORITIES = ("required", "recommended", "suggested")


class Note(Value):
    """A note of a segment; `offset` is the file offset of its content."""

    owner: bytes
    type: int
    content: bytes
    offset: int


class AbiTag(Value):
    """The oldest kernel version the file is for. glibc before 2.36 refuses the file on an older kernel."""

    os: str
    major: int
    minor: int
    patch: int


class Property(Value):
    """A GNU property: a feature that all objects of a process must share, or a processor level needed."""

    type: int
    content: bytes


class DlopenNote(Value):
    """A library that the program opens with dlopen: any of `sonames`, the first one preferred."""

    sonames: tuple[bytes, ...]
    priority: str
    feature: str | None
    description: str | None


class Notes:
    """The notes of a file, parsed by kind at first use.

    Attributes:
        records: all notes in file order, up to the first broken one of each segment.
        fault: the first error, or None.
    """

    def __init__(self, records: tuple[Note, ...], fault: BadInput | None, *, order: str, bits: int) -> None:
        self.records = records
        self.fault = fault
        self._order = order
        self._bits = bits

    def of(self, owner: bytes, kind: int) -> Iterator[Note]:
        """Return the notes of one owner and type, in file order."""
        return (note for note in self.records if note.type == kind and note.owner == owner)

    @once
    def build_id(self) -> bytes | None:
        """The linker's digest of the file, by which debug information is found; None if absent."""
        return next((note.content for note in self.of(_GNU, _BUILD_ID)), None)

    @once
    def abi_tag(self) -> AbiTag | None:
        """The operating system and the oldest version of it; None if absent. Raises Malformed."""
        note = next(self.of(_GNU, _ABI_TAG), None)
        if note is None:
            return None
        if len(note.content) < 16:
            raise Malformed("ABI note", f"{len(note.content)} of 16 bytes", note.offset)
        system, *version = Struct(self._order + "4I").unpack_from(note.content)
        return AbiTag(_SYSTEMS.get(system, f"system {system}"), *version)

    @once
    def properties(self) -> tuple[Property, ...]:
        """The GNU properties, in file order. Raises Malformed."""
        return tuple(p for note in self.of(_GNU, _PROPERTY) for p in self._properties_of(note))

    @once
    def dlopen(self) -> tuple[DlopenNote, ...]:
        """The libraries the program declares to open at run time. Raises Malformed."""
        found: list[DlopenNote] = []
        for note in self.of(_FDO, _DLOPEN):
            document = _json(note)
            entries = document if isinstance(document, list) else [document]
            found += [_dlopen_note(entry, note.offset) for entry in entries]
        return tuple(found)

    @once
    def package(self) -> dict[str, str] | None:
        """The package the file was built for: name, version, os and the like; None if absent.

        Raises Malformed.
        """
        note = next(self.of(_FDO, _PACKAGE), None)
        if note is None:
            return None
        document = _json(note)
        if not isinstance(document, dict):
            raise Malformed("package note", "not a JSON object", note.offset)
        return {key: item for key, item in document.items() if isinstance(item, str)}

    def _properties_of(self, note: Note) -> Iterator[Property]:
        head, at = Struct(self._order + "II"), 0
        for _ in range(MAX_PROPERTIES):
            if at + head.size > len(note.content):
                return
            kind, size = head.unpack_from(note.content, at)
            at += head.size
            if at + size > len(note.content):
                raise Malformed("GNU property", f"{size} bytes in a note of {len(note.content)}", note.offset)
            yield Property(kind, note.content[at : at + size])
            at = align_up(at + size, self._bits // 8)
        raise Malformed("GNU property", f"more than {MAX_PROPERTIES} of them", note.offset)


def parse_notes(buffer: Buffer, header: Header, segments: tuple[Segment, ...]) -> Notes:
    """Return the notes of all PT_NOTE segments; errors are in the result."""
    places = dict.fromkeys((s.offset, s.file_size, s.alignment) for s in segments if s.type == PT_NOTE)
    records: list[Note] = []
    fault: BadInput | None = None
    if len(places) > MAX_NOTES:
        places, fault = {}, Malformed("PT_NOTE", f"{len(places)} segments")
    if sum(size for _, size, _ in places) > len(buffer):
        places, fault = {}, Malformed("PT_NOTE", "the segments are larger than the file")
    for offset, size, alignment in places:
        try:
            data = take(buffer, offset, size, "PT_NOTE")
            for note in _records(data, offset, Struct(header.order + "III"), 8 if alignment == 8 else 4):
                if len(records) == MAX_NOTES:
                    raise Malformed("PT_NOTE", f"more than {MAX_NOTES} notes", note.offset)
                records.append(note)
        except BadInput as broken:
            fault = fault or broken
    return Notes(tuple(records), fault, order=header.order, bits=header.bits)


def _records(data: bytes, start: int, head: Struct, alignment: int) -> Iterator[Note]:
    at = 0
    while at + head.size <= len(data):
        name_size, size, kind = head.unpack_from(data, at)
        content = align_up(at + head.size + name_size, alignment)
        if content + size > len(data):
            raise Malformed("note", f"{size} bytes of content in a segment of {len(data)}", start + at)
        owner = data[at + head.size : at + head.size + name_size]
        yield Note(owner.rstrip(b"\0"), kind, data[content : content + size], start + content)
        at = align_up(content + size, alignment)


def _json(note: Note) -> object:
    if len(note.content) > MAX_JSON:
        raise Malformed("metadata note", f"{len(note.content)} bytes of JSON", note.offset)
    import json  # 3 ms that only files with such notes pay

    try:
        document: object = json.loads(note.content.rstrip(b"\0").decode())
    except (ValueError, RecursionError) as fault:
        raise Malformed("metadata note", f"not JSON: {fault}", note.offset) from fault
    return document


def _dlopen_note(entry: object, offset: int) -> DlopenNote:
    if not isinstance(entry, dict):
        raise Malformed("dlopen note", "an entry is not an object", offset)
    names = entry.get("soname")
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Malformed("dlopen note", "an entry without soname", offset)
    priority = entry.get("priority", "recommended")
    if priority not in PRIORITIES:
        raise Malformed("dlopen note", f"priority {priority!r}", offset)
    feature, description = entry.get("feature"), entry.get("description")
    return DlopenNote(
        tuple(name.encode("utf-8", "surrogatepass") for name in names),
        priority,
        feature if isinstance(feature, str) else None,
        description if isinstance(description, str) else None,
    )
