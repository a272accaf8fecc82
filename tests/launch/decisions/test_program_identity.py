"""The identity of a program's file, the names of its decision, and the sums over its headers."""

from denizen.elf.image import read
from denizen.launch.decisions.program_identity import (
    Identity,
    alias_name,
    headers_of,
    identity_name,
    machine_of,
    machine_word,
    sum_words,
)
from tests.support.elf_builder import Elf, build


def test_headers_are_summed_as_they_lie_in_the_file() -> None:
    content = build(Elf())
    image = read(content)
    start, size = image.header.phoff, image.header.phnum * 56
    assert headers_of(image) == sum_words(content[start : start + size])


def test_machine_is_word_size_and_number() -> None:
    image = read(build(Elf()))
    assert machine_of(image) == machine_word(64, image.header.machine)


def test_the_key_is_the_identity_in_hexadecimal() -> None:
    assert identity_name(Identity(0xFE01, 16, 255, 1, -1)) == b"fe01-10-ff-1-ffffffffffffffff"
    assert alias_name(b"\x01\xff", 16) == b"b-01ff-10"


def test_the_sum_depends_on_the_order_of_words() -> None:
    one, two = b"\1" + bytes(7), b"\2" + bytes(7)
    assert sum_words(one + two) != sum_words(two + one)
    assert sum_words(one + two) == (3).to_bytes(8, "little") + (4).to_bytes(8, "little")
