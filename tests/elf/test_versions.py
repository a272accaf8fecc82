import struct

import pytest

from denizen.elf import Malformed, NeededVersion, VersionDefinition, VersionNeed, constants, read
from denizen.elf.versions import MAX_RECORDS
from tests.support.elf_builder import Elf, Symbol, build, sysv_hash

FORMS = [(64, True), (64, False), (32, True), (32, False)]


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_needs_are_read_by_file_in_order(bits: int, *, little: bool) -> None:
    symbols = tuple(
        Symbol(name, defined=False, version=version, file=file)
        for name, version, file in (
            (b"a", b"V1", b"libx.so"),
            (b"b", b"V2", b"libx.so"),
            (b"c", b"W1", b"liby.so"),
        )
    )
    assert read(build(Elf(bits=bits, little=little, symbols=symbols))).version_needs == (
        VersionNeed(
            b"libx.so",
            (
                NeededVersion(b"V1", sysv_hash(b"V1"), weak=False, number=2),
                NeededVersion(b"V2", sysv_hash(b"V2"), weak=False, number=3),
            ),
        ),
        VersionNeed(b"liby.so", (NeededVersion(b"W1", sysv_hash(b"W1"), weak=False, number=4),)),
    )


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_definitions_are_read_with_the_base_first(bits: int, *, little: bool) -> None:
    elf = Elf(bits=bits, little=little, soname=b"libx.so", version_definitions=(b"V1",))
    assert read(build(elf)).version_definitions == (
        VersionDefinition(b"libx.so", sysv_hash(b"libx.so"), 1, base=True, weak=False, parents=()),
        VersionDefinition(b"V1", sysv_hash(b"V1"), 2, base=False, weak=False, parents=()),
    )


def test_a_definition_names_its_parents() -> None:
    names = struct.pack("<IIII", 1, 8, 4, 0)
    table = struct.pack("<HHHHIII", 1, constants.VER_FLG_WEAK, 2, 2, 7, 20, 0) + names
    elf = Elf(
        hashes=(),
        raw=((constants.DT_VERDEF, table), (constants.DT_STRTAB, b"\0V2\0V1\0")),
        tags=((constants.DT_STRSZ, 7),),
    )
    (found,) = read(build(elf)).version_definitions
    assert found == VersionDefinition(b"V2", 7, 2, base=False, weak=True, parents=(b"V1",))


@pytest.mark.parametrize(
    ("tag", "table"),
    [
        (constants.DT_VERNEED, struct.pack("<HHIII", 1, 1, 1, 0x7FFFFFFF, 0)),
        (constants.DT_VERNEED, struct.pack("<HHIII", 1, 0, 0, 0, 0x7FFFFFFF)),
        (constants.DT_VERNEED, struct.pack("<HHIII", 1, 0, 0, 0, 16) * (MAX_RECORDS + 1)),
        (constants.DT_VERDEF, struct.pack("<HHHHIII", 1, 0, 1, 1, 0, 0x7FFFFFFF, 0)),
        (constants.DT_VERDEF, struct.pack("<HHHHIII", 1, 0, 1, 0, 0, 0, 20) * (MAX_RECORDS + 1)),
    ],
)
def test_lists_that_leave_the_file_or_have_no_end_are_malformed(tag: int, table: bytes) -> None:
    image = read(build(Elf(hashes=(), raw=((tag, table),))))
    with pytest.raises(Malformed):
        _ = (image.version_needs, image.version_definitions)


def test_a_refusal_is_remembered_and_not_computed_again() -> None:
    image = read(build(Elf(tags=((constants.DT_VERNEED, 0xDEAD0000),))))
    caught = []
    for _ in range(2):
        with pytest.raises(Malformed) as refusal:
            _ = image.version_needs
        caught.append(refusal.value)
    assert caught[0] is caught[1]
