import pytest

from denizen.elf import Malformed, NotElf, StackPolicy, Truncated, constants, read
from tests.support.elf_builder import Elf, build, replace

FORMS = [(64, True), (64, False), (32, True), (32, False)]


@pytest.fixture(params=FORMS, ids=["64-little", "64-big", "32-little", "32-big"])
def form(request: pytest.FixtureRequest) -> Elf:
    bits, little = request.param
    return Elf(bits=bits, little=little)


def test_header_and_segments_are_read_in_every_form(form: Elf) -> None:
    image = read(build(replace(form, entry=0x1234, interpreter=b"/lib/ld.so")))
    assert (form.bits, form.little, 0x1234) == (image.header.bits, image.header.little, image.header.entry)
    kinds = [segment.type for segment in image.segments]
    assert kinds == [constants.PT_INTERP, constants.PT_DYNAMIC, constants.PT_GNU_STACK, constants.PT_LOAD]
    assert image.segments[0].flags == constants.PF_R


def test_interpreter_is_given_without_its_nul(form: Elf) -> None:
    assert read(build(replace(form, interpreter=b"/lib64/ld.so"))).interpreter == b"/lib64/ld.so"


def test_a_library_has_no_interpreter(form: Elf) -> None:
    assert read(build(form)).interpreter is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "a path of 0 bytes"),
        (b"/lib/ld.so", "its path does not end in NUL"),
        (b"/" * 4096 + b"\0", "a path of 4097 bytes"),
    ],
)
def test_an_interpreter_the_kernel_refuses_is_malformed(content: bytes, problem: str) -> None:
    image = read(build(Elf(segments=((constants.PT_INTERP, content),))))
    with pytest.raises(Malformed) as caught:
        _ = image.interpreter
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("flags", "policy"),
    [(None, StackPolicy.UNSTATED), (6, StackPolicy.PLAIN), (7, StackPolicy.EXECUTABLE)],
)
def test_stack_policy_is_what_gnu_stack_says(flags: int | None, policy: StackPolicy) -> None:
    assert read(build(Elf(stack=flags))).stack is policy


def test_a_file_without_dynamic_section_has_no_symbols_nor_versions() -> None:
    image = read(build(Elf(dynamic=False)))
    assert image.dynamic is None
    assert image.symbols.count == 0
    assert image.version_needs == ()
    assert image.version_definitions == ()


@pytest.mark.parametrize("content", [b"", b"\x7fEL", b"#!/bin/sh\n", b"MZ"])
def test_what_is_not_elf_is_named_so(content: bytes) -> None:
    with pytest.raises(NotElf) as caught:
        read(content)
    assert caught.value.found == content[:4]


@pytest.mark.parametrize("size", [4, 15, 16, 63, 64, 100])
def test_a_file_cut_in_its_headers_is_truncated(size: int) -> None:
    with pytest.raises(Truncated):
        read(build(Elf())[:size])


def test_a_fault_in_one_part_leaves_the_others_usable() -> None:
    image = read(build(Elf(interpreter=b"/lib/ld.so", tags=((constants.DT_VERNEED, 0xDEAD0000),))))
    with pytest.raises(Malformed):
        _ = image.version_needs
    assert image.interpreter == b"/lib/ld.so"
    assert image.dynamic is not None
