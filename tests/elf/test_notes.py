import json
import struct

import pytest

from denizen.elf import AbiTag, DlopenNote, Malformed, Notes, constants, read
from denizen.elf.notes import MAX_NOTES, Property
from tests.support.elf_builder import Elf, Note, build

ABI = Note(b"GNU", 1, struct.pack("<4I", 0, 3, 2, 0))
BUILD_ID = Note(b"GNU", 3, bytes(range(20)))


def notes_of(*notes: Note, little: bool = True, bits: int = 64) -> Notes:
    return read(build(Elf(bits=bits, little=little, notes=notes))).notes


def dlopen(document: object) -> Note:
    return Note(b"FDO", 0x407C0C0A, json.dumps(document).encode() + b"\0")


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("bits", [32, 64])
def test_notes_are_read_in_every_form(bits: int, *, little: bool) -> None:
    abi = Note(b"GNU", 1, struct.pack("<4I" if little else ">4I", 0, 3, 2, 0))
    notes = notes_of(abi, BUILD_ID, bits=bits, little=little)
    assert notes.abi_tag == AbiTag("Linux", 3, 2, 0)
    assert notes.build_id == bytes(range(20))
    assert notes.fault is None


def test_a_note_tells_where_its_content_lies() -> None:
    file = build(Elf(notes=(BUILD_ID,)))
    (note,) = read(file).notes.records
    assert file[note.offset : note.offset + 20] == BUILD_ID.content


def test_properties_are_padded_to_the_word_and_in_notes_aligned_to_eight() -> None:
    content = struct.pack("<IIII", 0xC0008002, 4, 3, 0) + struct.pack("<IIQ", 1, 8, 7)
    assert notes_of(Note(b"GNU", 5, content, alignment=8)).properties == (
        Property(0xC0008002, b"\3\0\0\0"),
        Property(1, b"\7" + bytes(7)),
    )


def test_dlopen_metadata_names_alternatives_priority_and_purpose() -> None:
    entry = {"soname": ["liba.so.2", "liba.so.1"], "priority": "required", "feature": "a", "description": "A"}
    notes = notes_of(dlopen([entry, {"soname": ["libb.so"]}]))
    assert notes.dlopen == (
        DlopenNote((b"liba.so.2", b"liba.so.1"), "required", "a", "A"),
        DlopenNote((b"libb.so",), "recommended", None, None),
    )


def test_the_first_version_of_dlopen_metadata_is_understood() -> None:
    assert notes_of(dlopen({"soname": "liba.so"})).dlopen[0].sonames == (b"liba.so",)


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[" * 5000,
        b"[1]",
        b"[{}]",
        b'[{"soname": [1]}]',
        b'[{"soname": ["a"], "priority": "urgent"}]',
        b'[{"soname": ["a"], "priority": []}]',
        b"\xff",
        b"9" * 5000,
        b" " * 70_000,
    ],
)
def test_broken_dlopen_metadata_is_refused_and_the_other_notes_are_not(content: bytes) -> None:
    notes = notes_of(Note(b"FDO", 0x407C0C0A, content), BUILD_ID)
    with pytest.raises(Malformed):
        _ = notes.dlopen
    assert notes.build_id is not None


def test_package_metadata_keeps_its_strings() -> None:
    content = b'{"type": "deb", "name": "x", "odd": 1}\0'
    assert notes_of(Note(b"FDO", 0xCAFE1A7E, content)).package == {"type": "deb", "name": "x"}


def test_without_notes_there_are_no_facts_from_them() -> None:
    notes = notes_of()
    assert (notes.build_id, notes.abi_tag, notes.package) == (None, None, None)
    assert notes.properties == ()
    assert notes.dlopen == ()


def test_a_broken_note_ends_its_segment_alone() -> None:
    broken = struct.pack("<III", 4, 1 << 30, 3) + b"GNU\0"
    good = struct.pack("<III", 4, 2, 3) + b"GNU\0" + b"id\0\0"
    notes = read(build(Elf(segments=((constants.PT_NOTE, broken), (constants.PT_NOTE, good))))).notes
    assert notes.build_id == b"id"
    assert isinstance(notes.fault, Malformed)


def test_more_notes_than_any_program_has_are_a_fault() -> None:
    many = struct.pack("<IIII", 0, 0, 1, 0) * (MAX_NOTES + 1)
    notes = read(build(Elf(segments=((constants.PT_NOTE, many),)))).notes
    assert len(notes.records) == MAX_NOTES
    assert notes.fault is not None


@pytest.mark.parametrize("note", [Note(b"GNU", 1, b"short"), Note(b"GNU", 5, struct.pack("<II", 1, 99))])
def test_gnu_notes_cut_short_are_malformed(note: Note) -> None:
    notes = notes_of(note)
    with pytest.raises(Malformed):
        _ = (notes.abi_tag, notes.properties)


def test_package_metadata_that_is_no_object_is_malformed() -> None:
    with pytest.raises(Malformed):
        _ = notes_of(Note(b"FDO", 0xCAFE1A7E, b"[1]\0")).package


def test_note_segments_by_the_thousand_are_a_fault() -> None:
    segments = ((constants.PT_NOTE, bytes(16)),) * (MAX_NOTES + 1)
    notes = read(build(Elf(type=constants.ET_CORE, segments=segments))).notes
    assert notes.records == ()
    assert notes.fault is not None


def test_note_segments_larger_than_the_file_together_are_a_fault() -> None:
    file = bytearray(build(Elf(notes=(BUILD_ID, ABI))))
    for number in range(2):
        struct.pack_into("<Q", file, 64 + 56 * number + 32, len(file) * 2 // 3)
    notes = read(bytes(file)).notes
    assert notes.records == ()
    assert notes.fault is not None
