"""The room that libraries with static TLS get in a dynamic linker that loads an auditing library."""

from pathlib import Path

import pytest

from denizen.elf import constants as c
from denizen.elf.image import Image, read
from denizen.launch.decisions.static_tls import room_edits, static_tls_edits
from tests.support.compiled_loaders import HOST_LDSO
from tests.support.elf_builder import Elf, build

_PROGRAM = read(build(Elf(segments=((c.PT_TLS, bytes(9000)),))))


def _library(size: int, flags: int = c.DF_STATIC_TLS) -> Image:
    return read(build(Elf(flags=flags, segments=((c.PT_TLS, bytes(size)),))))


@pytest.fixture(scope="module")
def glibc() -> Image:
    return read(Path(HOST_LDSO).read_bytes())


def test_the_tunables_value_grows_by_what_the_libraries_take(glibc: Image) -> None:
    edits = static_tls_edits(glibc, [_PROGRAM, _library(2632), _library(40)])
    assert edits
    assert all((edit.optional, edit.old) == (True, (512).to_bytes(8, "little")) for edit in edits)
    (size,) = {int.from_bytes(edit.new, "little") for edit in edits}
    assert 512 + 2632 + 40 <= size < 512 + 2632 + 40 + 64


def test_the_edited_word_is_the_one_behind_the_tunables_limits(glibc: Image) -> None:
    content = Path(HOST_LDSO).read_bytes()
    (segment,) = [one for one in glibc.segments if one.type == c.PT_LOAD and one.flags & c.PF_W]
    row = content.index(b"glibc.rtld.optional_static_tls\0")
    places = [
        edit.address - segment.address + segment.offset
        for edit in static_tls_edits(glibc, [_PROGRAM, _library(8)])
    ]
    assert all(row < place < row + 192 for place in places)
    limits = content.index(b"\xff" * 8, row) + 8
    assert places[0] == limits


def test_libraries_without_the_mark_have_room_too_as_natively(glibc: Image) -> None:
    marked, unmarked = (static_tls_edits(glibc, [_PROGRAM, _library(9000, flags)]) for flags in (16, 0))
    assert marked == unmarked


def test_the_programs_own_tls_takes_nothing_of_it(glibc: Image) -> None:
    assert static_tls_edits(glibc, [_PROGRAM, _library(0)]) == static_tls_edits(
        glibc, [_library(0), _library(0)]
    )
    assert static_tls_edits(glibc, [_PROGRAM]) == ()


def test_a_big_endian_linker_gets_big_endian_words() -> None:
    row = b"glibc.rtld.optional_static_tls".ljust(48, b"\0") + (512).to_bytes(8, "big")
    ldso = read(build(Elf(little=False, segments=((c.PT_LOAD, row),))))
    (edit,) = static_tls_edits(ldso, [_PROGRAM, _library(600)])
    assert int.from_bytes(edit.new, "big") > 1112


def test_a_linker_without_the_tunable_has_room_for_little_only() -> None:
    other = read(build(Elf()))
    assert room_edits(other, [_PROGRAM, _library(100)]) is not None
    assert room_edits(other, [_PROGRAM, _library(2632)]) is None


def test_there_is_no_room_for_a_wider_alignment_than_the_blocks(glibc: Image) -> None:
    content = bytearray(build(Elf(flags=c.DF_STATIC_TLS, segments=((c.PT_TLS, bytes(8)),))))
    image = read(bytes(content))
    place = next(number for number, one in enumerate(image.segments) if one.type == c.PT_TLS)
    at = image.header.phoff + 56 * place + 48
    content[at : at + 8] = (128).to_bytes(8, "little")
    wide = read(bytes(content))
    assert room_edits(glibc, [_PROGRAM, wide]) is None
    assert room_edits(glibc, [wide, wide]) is not None
