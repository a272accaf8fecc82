"""Plans to patch ELF files, of both classes and byte orders, without section headers."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.elf import Image, Segment, read
from denizen.elf import constants as c
from denizen.relocate.elf_encoding import Encoding
from denizen.relocate.errors import CannotPatch
from denizen.relocate.file_edits import FilePlan, apply
from denizen.relocate.patch_changes import Changes, named_interpreter
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.verify_patch import verify_patch
from tests.support.elf_builder import Elf, Note, Symbol, build, replace
from tests.support.elf_sections import section_of, with_sections

FORMS = [(64, True, 62), (64, False, 22), (32, True, 3), (32, False, 8)]
LONG = b"/a/path/that/is/longer/than/the/old/one/ld.so"
NEEDS = (
    Symbol(b"puts", defined=False, version=b"V_1", file=b"libc.so.6"),
    Symbol(b"sin", defined=False, version=b"V_2", file=b"libm.so.6"),
    Symbol(b"cos", defined=False, version=b"V_3", file=b"libm.so.6"),
    Symbol(b"own"),
)
PROGRAM = Elf(
    interpreter=b"/lib/ld.so.1",
    needed=(b"libm.so.6", b"libc.so.6"),
    soname=b"libown.so.1",
    runpath=b"/opt/lib",
    symbols=NEEDS,
    hashes=("gnu", "sysv"),
)


@pytest.fixture(params=FORMS, ids=["64le", "64be", "32le", "32be"])
def program(request: pytest.FixtureRequest) -> bytes:
    bits, little, machine = request.param
    return build(replace(PROGRAM, bits=bits, little=little, machine=machine))


def patched(data: bytes, changes: Changes) -> bytes:
    """The file after the changes, verified."""
    image = read(data)
    plan = plan_patch(image, changes)
    new = apply(plan, data)
    verify_patch(image, new, plan, changes)
    return new


def loads(image: Image) -> list[tuple[int, ...]]:
    return [tuple(one) for one in image.segments if one.type == c.PT_LOAD]


def test_a_library_whose_interpreter_is_empty_can_be_patched(program: bytes) -> None:
    """Nobody reads it of a library: ld.so loads it (a Qt library of a wheel that millions use)."""
    image = read(program)
    row = image.first_rows[c.PT_INTERP]
    broken = program[: row.offset] + b"\0" * row.file_size + program[row.offset + row.file_size :]
    at = broken.index(Encoding(image.header).segments([row]))
    empty = Encoding(image.header).segments([Segment._make((*row[:5], 1, 1, 1))])
    broken = broken[:at] + empty + broken[at + len(empty) :]
    new = patched(broken, Changes(run_path=b"/a/directory"))
    assert facts_of(new) == (None, b"/a/directory")
    assert facts_of(patched(new, Changes(interpreter=LONG))) == (LONG, b"/a/directory")


def facts_of(data: bytes) -> tuple[bytes | None, bytes | None]:
    image = read(data)
    assert image.dynamic is not None
    return named_interpreter(image), image.dynamic.runpath


def test_a_shorter_interpreter_takes_the_place_of_the_old_one(program: bytes) -> None:
    new = patched(program, Changes(interpreter=b"/ld"))
    assert read(new).interpreter == b"/ld"
    assert len(new) == len(program)
    assert sum(one != other for one, other in zip(program, new, strict=True)) <= len(b"/lib/ld.so.1")
    assert patched(new, Changes(interpreter=b"/lib/ld.so.1")) == program


def test_a_longer_interpreter_goes_behind_everything_that_is_mapped(program: bytes) -> None:
    old, new = read(program), read(patched(program, Changes(interpreter=LONG)))
    assert new.interpreter == LONG
    assert loads(new)[: len(loads(old))] == loads(old)
    added = new.segments[[one.type for one in new.segments].index(c.PT_LOAD) + len(loads(old))]
    assert added.address > max(one.address + one.memory_size for one in old.segments if one.type == c.PT_LOAD)
    assert (added.address - added.offset) % added.alignment == 0


@pytest.mark.parametrize("name", [b"/short", b"/much/longer:" * 9 + b"/than/before"])
def test_the_run_path_becomes_what_is_asked_for(program: bytes, name: bytes) -> None:
    image = read(patched(program, Changes(run_path=name)))
    assert image.dynamic is not None
    assert (image.dynamic.runpath, image.dynamic.rpath) == (name, None)
    assert image.dynamic.needed == (b"libm.so.6", b"libc.so.6")


def test_a_run_path_of_the_old_kind_stays_one_unless_forced() -> None:
    old = build(replace(PROGRAM, runpath=None, rpath=b"/opt/lib"))
    kept = read(patched(old, Changes(run_path=b"/other/directory"))).dynamic
    forced = read(patched(build(PROGRAM), Changes(force_rpath=True))).dynamic
    assert kept is not None
    assert forced is not None
    assert (kept.rpath, kept.runpath) == (b"/other/directory", None)
    assert (forced.rpath, forced.runpath) == (b"/opt/lib", None)


def test_a_run_path_is_removed(program: bytes) -> None:
    dynamic = read(patched(program, Changes(run_path=b""))).dynamic
    assert dynamic is not None
    assert (dynamic.runpath, dynamic.rpath) == (None, None)


def test_libraries_are_added_ahead_of_the_others(program: bytes) -> None:
    """As patchelf adds them: a library that replaces functions must be searched first."""
    dynamic = read(patched(program, Changes(add_needed=(b"libx.so", b"libc.so.6", b"liby.so")))).dynamic
    assert dynamic is not None
    assert dynamic.needed == (b"libx.so", b"liby.so", b"libm.so.6", b"libc.so.6")


def test_versions_go_with_a_library_that_is_replaced(program: bytes) -> None:
    image = read(patched(program, Changes(replace_needed=((b"libm.so.6", b"libmath-of-another-name.so"),))))
    assert image.dynamic is not None
    assert image.dynamic.needed == (b"libmath-of-another-name.so", b"libc.so.6")
    assert {need.file for need in image.version_needs} == {b"libmath-of-another-name.so", b"libc.so.6"}


@pytest.mark.parametrize("name", [b"libm.so.6", b"libc.so.6"])
def test_versions_of_a_library_that_is_removed_are_needed_no_more(program: bytes, name: bytes) -> None:
    """glibc's ld.so ends with an assertion where versions are needed of a library that is not loaded."""
    image = read(patched(program, Changes(remove_needed=(name,))))
    assert image.dynamic is not None
    assert name not in image.dynamic.needed
    assert {need.file for need in image.version_needs} == {b"libm.so.6", b"libc.so.6"} - {name}
    wanted = {one.name: one.version for one in image.symbols.undefined}
    lost = {b"sin", b"cos"} if name == b"libm.so.6" else {b"puts"}
    assert {symbol for symbol, version in wanted.items() if version is None} == lost


def test_the_last_versions_needed_take_their_table_along(program: bytes) -> None:
    """glibc indexes an array with DT_VERSYM that it does not make where no versions are needed."""
    image = read(patched(program, Changes(remove_needed=(b"libm.so.6", b"libc.so.6"))))
    assert image.version_needs == ()
    assert image.dynamic is not None
    assert c.DT_VERSYM not in image.dynamic.values


def test_soname_and_flags_change(program: bytes) -> None:
    dynamic = read(patched(program, Changes(soname=b"libother.so.2", no_default_lib=True))).dynamic
    assert dynamic is not None
    assert dynamic.soname == b"libother.so.2"
    assert dynamic.flags_1 & c.DF_1_NODEFLIB


ALL = Changes(
    LONG, b"$ORIGIN/../lib:/somewhere/else/entirely", force_rpath=True, remove_needed=(b"libm.so.6",),
    replace_needed=((b"libc.so.6", b"libc-of-another-name.so.6"),), add_needed=(b"libfirst.so",),
    soname=b"libthis-is-now-its-name.so.3", no_default_lib=True,
)  # fmt: skip


def test_twice_is_the_same_bytes_as_once(program: bytes) -> None:
    once = patched(program, ALL)
    assert plan_patch(read(once), ALL).is_empty
    assert patched(once, ALL) == once


def test_a_file_does_not_grow_each_time_it_is_patched(program: bytes) -> None:
    """patchelf's grew with each run until it did not start any more (NixOS/patchelf#96)."""
    data, sizes = program, []
    for number in range(64):
        length = 50 + number % 7
        data = patched(
            data, Changes(LONG + b"x" * (number % 5), b"/".ljust(length, b"y"), add_needed=(b"a",))
        )
        sizes.append(len(data))
    assert max(sizes) - sizes[0] <= 16
    assert len(loads(read(data))) == len(loads(read(program))) + 1


names = st.binary(min_size=1, max_size=90).filter(lambda name: b"\0" not in name)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(FORMS), st.lists(st.tuples(names, names, names), min_size=1, max_size=4))
def test_any_sequence_of_patches_ends_as_asked(
    form: tuple[int, bool, int], rounds: list[tuple[bytes, bytes, bytes]]
) -> None:
    bits, little, machine = form
    data = build(replace(PROGRAM, bits=bits, little=little, machine=machine))
    for interpreter, path, needed in rounds:
        data = patched(data, Changes(interpreter, path, add_needed=(needed,), soname=needed))
    image = read(data)
    assert image.dynamic is not None
    assert (image.interpreter, image.dynamic.runpath, image.dynamic.soname) == (interpreter, path, needed)
    assert {one for _, _, one in rounds} <= set(image.dynamic.needed)
    assert image.symbols.names == read(build(PROGRAM)).symbols.names


def test_names_that_others_share_are_not_overwritten() -> None:
    """Linkers let a symbol's name be the end of a run path, and the other way round."""
    shared = replace(PROGRAM, runpath=b"own", needed=(b"libc.so.6",), symbols=(*NEEDS, Symbol(b"libc.so.6")))
    image = read(
        patched(build(shared), Changes(run_path=b"abc", replace_needed=((b"libc.so.6", b"libd.so.6"),)))
    )
    assert {b"own", b"libc.so.6"} <= set(image.symbols.names)


def test_large_pages_are_not_shared_with_other_segments() -> None:
    """aarch64 kernels have pages of up to 64 KiB, so 4 KiB are not enough (NixOS/patchelf#79)."""
    data = build(replace(PROGRAM, machine=183))
    # elf_builder aligns to 4 KiB; such a file runs on kernels with these pages only.
    table = 64 + (len(read(data).segments) - 1) * 56
    wide = data[: table + 48] + struct.pack("<Q", 0x10000) + data[table + 56 :]
    added = loads(read(patched(wide, Changes(interpreter=LONG))))[-1]
    first = loads(read(wide))[0]
    address, offset, size, alignment = added[3], added[2], first[6], added[7]
    assert alignment == 0x10000
    assert address // 0x10000 > (first[3] + size - 1) // 0x10000
    assert (address - offset) % 0x10000 == 0


def test_the_kernel_finds_program_headers_that_move() -> None:
    """Before Linux 5.18 it adds their offset to the first segment's distance of address and offset."""
    data = build(replace(PROGRAM, segments=((6, b"p" * 16),)))  # PT_PHDR, which a program cannot spare
    image = read(patched(data, Changes(interpreter=LONG)))
    first = next(one for one in image.segments if one.type == c.PT_LOAD)
    table = next(one for one in image.segments if one.type == 6)
    assert image.header.phoff == table.offset
    assert table.address == image.header.phoff + first.address - first.offset
    inside = [one for one in image.segments if one.type == c.PT_LOAD and one.offset <= table.offset]
    assert any(table.offset + table.file_size <= one.offset + one.file_size for one in inside)


@pytest.mark.parametrize("extra", [((0, b""),), ((0x65041580, b"pax!"),)], ids=["PT_NULL", "PT_PAX_FLAGS"])
def test_a_row_that_says_nothing_becomes_the_new_segment(extra: tuple[tuple[int, bytes], ...]) -> None:
    data = build(replace(PROGRAM, segments=extra))
    old, new = read(data), read(patched(data, Changes(interpreter=LONG)))
    assert new.header.phoff == old.header.phoff
    assert len(new.segments) == len(old.segments)


def test_a_note_that_another_header_leads_to_too_is_spared() -> None:
    note = Note(b"GNU", 5, struct.pack("<IIII", 0xC0008002, 4, 1, 0), alignment=8)
    data = bytearray(build(replace(PROGRAM, notes=(note,), segments=((0x6474E553, b"?"),))))
    image = read(bytes(data))
    rows = {one.type: (index, one) for index, one in enumerate(image.segments)}
    twin = rows[0x6474E553][0]
    source = 64 + 56 * rows[c.PT_NOTE][0]
    data[64 + 56 * twin + 4 : 64 + 56 * twin + 56] = data[source + 4 : source + 56]
    new = read(patched(bytes(data), Changes(interpreter=LONG)))
    assert new.header.phoff == image.header.phoff
    assert not any(one.type == c.PT_NOTE for one in new.segments)


def test_a_value_counted_from_its_own_address_follows_the_table() -> None:
    """DT_MIPS_RLD_MAP_REL leads to the debugger's word from where it stands itself."""
    tag = 0x70000035
    data = build(replace(PROGRAM, machine=8, bits=32, little=False, tags=((tag, 0x400),)))
    before, after = read(data), read(patched(data, Changes(add_needed=(b"libfirst.so",))))

    def target(image: Image) -> int:
        row = next(one for one in image.segments if one.type == c.PT_DYNAMIC)
        assert image.dynamic is not None
        at, item = next((at, item) for at, (key, item) in enumerate(image.dynamic.entries) if key == tag)
        return (row.address + 8 * at + item) & 0xFFFFFFFF

    assert target(before) == target(after)


def test_a_read_only_dynamic_section_stays_one() -> None:
    """MIPS and ld.so since 2.36 write to it only where PT_DYNAMIC says that they may."""
    data = bytearray(build(PROGRAM))
    index = [one.type for one in read(bytes(data)).segments].index(c.PT_DYNAMIC)
    struct.pack_into("<I", data, 64 + 56 * index + 4, c.PF_R)
    new = read(patched(bytes(data), Changes(add_needed=(b"libfirst.so",))))
    assert loads(new)[-1][1] == c.PF_R


@pytest.mark.parametrize(
    ("elf", "changes", "reason"),
    [
        (replace(PROGRAM, interpreter=None), Changes(interpreter=LONG), "no interpreter"),
        (replace(PROGRAM, dynamic=False), Changes(run_path=b"/x"), "static"),
        (replace(PROGRAM, interpreter=None, flags_1=c.DF_1_PIE), Changes(run_path=b"/x"), "static program"),
        (replace(PROGRAM, type=c.ET_REL), Changes(run_path=b"/x"), "neither a program nor"),
        (PROGRAM, Changes(interpreter=b"/" * 5000), "4095"),
        (PROGRAM, Changes(add_needed=(b"",)), "empty"),
        (PROGRAM, Changes(run_path=b"/a\0b"), "NUL"),
    ],
)
def test_what_cannot_be_is_refused(elf: Elf, changes: Changes, reason: str) -> None:
    with pytest.raises(CannotPatch, match=reason):
        plan_patch(read(build(elf)), changes)


def test_a_file_of_some_hundred_bytes_does_not_become_64_mib_by_the_memory_that_it_claims() -> None:
    data = bytearray(build(PROGRAM))
    image = read(bytes(data))
    index = next(index for index, one in enumerate(image.segments) if one.type == c.PT_LOAD)
    struct.pack_into("<Q", data, image.header.phoff + 56 * index + 40, 32 << 20)
    with pytest.raises(CannotPatch, match="a gap of"):
        plan_patch(read(bytes(data)), Changes(interpreter=LONG))
    # As large as a linker makes it, it may claim as much.
    assert plan_patch(read(bytes(data) + bytes(16384)), Changes(interpreter=LONG)).padding > 30 << 20


def test_no_part_goes_behind_the_end_of_the_address_space() -> None:
    """A hostile file has its first segment there, with unused bytes behind it in the file."""
    every = Changes(LONG, LONG, add_needed=(b"liba.so", b"libb.so"), soname=LONG)
    data = bytearray(patched(build(replace(PROGRAM, bits=32, machine=3)), every))
    image = read(bytes(data))
    index = next(index for index, one in enumerate(image.segments) if one.type == c.PT_LOAD)
    struct.pack_into("<I", data, image.header.phoff + 32 * index + 8, 0xFFFFFFFE)
    for size in (10, 100, 1000):
        with pytest.raises(CannotPatch, match="no addresses"):
            plan_patch(read(bytes(data)), Changes(b"/" * size + LONG))


def test_nothing_changes_where_all_is_so_already(program: bytes) -> None:
    same = Changes(b"/lib/ld.so.1", b"/opt/lib", add_needed=(b"libc.so.6",), soname=b"libown.so.1")
    assert plan_patch(read(program), same) == FilePlan(insert_at=len(program))


def test_section_headers_follow_the_parts_that_move(program: bytes) -> None:
    """strip(1), ld and objdump read these, not the program headers (NixOS/patchelf#10)."""
    data = with_sections(program)
    new = patched(
        data, Changes(LONG, b"/somewhere/else/entirely", add_needed=(b"libfirst.so", b"libnext.so"))
    )
    image = read(new)
    assert image.dynamic is not None
    rows = {one.type: one for one in image.segments}
    assert section_of(new, "interpreter")[:2] == (rows[c.PT_INTERP].address, rows[c.PT_INTERP].offset)
    assert section_of(new, "dynamic")[:2] == (rows[c.PT_DYNAMIC].address, rows[c.PT_DYNAMIC].offset)
    values = image.dynamic.values
    assert section_of(new, "strings")[::2] == (values[c.DT_STRTAB], values[c.DT_STRSZ])


def test_room_behind_the_program_headers_is_used_where_sections_tell_that_it_is_free() -> None:
    """The old interpreter's path lies there, and goes away."""
    data = with_sections(
        build(replace(PROGRAM, interpreter=b"/a/long/enough/path/of/an/interpreter/for/a/row/ld.so"))
    )
    old, new = read(data), read(patched(data, Changes(interpreter=b"/even" * 20)))
    assert new.header.phoff == old.header.phoff
    assert len(new.segments) == len(old.segments) + 1
