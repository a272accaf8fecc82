import struct

import pytest

from denizen.elf import FileType, Malformed, constants, read
from denizen.elf.header import MAX_TABLE, SEGMENT_SIZE
from tests.support.elf_builder import Elf, build


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (1, FileType.RELOCATABLE),
        (2, FileType.EXECUTABLE),
        (3, FileType.SHARED),
        (4, FileType.CORE),
        (99, None),
    ],
)
def test_the_file_type_is_one_of_four_or_none(kind: int, expected: FileType | None) -> None:
    assert read(build(Elf(type=kind))).header.file_type is expected


def test_machines_have_names_and_unknown_ones_a_number() -> None:
    assert read(build(Elf(machine=183))).header.machine_name == "aarch64"
    assert read(build(Elf(machine=999))).header.machine_name == "machine 999"


@pytest.mark.parametrize(("at", "value"), [(4, 0), (4, 3), (5, 0), (5, 3)])
def test_a_class_or_byte_order_the_gabi_does_not_know_is_malformed(at: int, value: int) -> None:
    file = bytearray(build(Elf()))
    file[at] = value
    with pytest.raises(Malformed):
        read(bytes(file))


def test_program_headers_of_another_size_are_malformed() -> None:
    file = bytearray(build(Elf()))
    struct.pack_into("<H", file, 54, 57)
    with pytest.raises(Malformed):
        read(bytes(file))


def test_more_program_headers_than_the_kernel_takes_are_for_cores_alone() -> None:
    many = tuple((constants.PT_LOAD, b"") for _ in range(MAX_TABLE // SEGMENT_SIZE[64]))
    with pytest.raises(Malformed):
        read(build(Elf(segments=many)))
    assert len(read(build(Elf(type=constants.ET_CORE, segments=many))).segments) > len(many)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_kind_of_buffer_will_do(wrap: type) -> None:
    image = read(wrap(build(Elf(interpreter=b"/lib/ld.so", needed=(b"libc.so.6",)))))
    assert image.interpreter == b"/lib/ld.so"
    assert image.dynamic is not None
    assert image.dynamic.needed == (b"libc.so.6",)
    assert image.payload is None
    assert image.symbols.names == [b""]
