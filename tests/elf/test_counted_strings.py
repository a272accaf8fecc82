"""Strings that are known by address and length: Go's, which run into each other."""

import subprocess

import pytest

from denizen.elf import read
from denizen.elf.counted_strings import counted_strings
from tests.support.peers import require

# As Go 1.24 compiles exec.Command("git", "push"), and a list that is a global variable.
_PROGRAM = """
    .section .rodata
pool: .ascii "gitpushlesstar"
    .balign 8
list: .quad pool+7, 4
    .quad pool+11, 3
    .text
    .globl _start
_start:
    leaq pool(%rip), %rax
    movl $3, %ebx
    leaq pool+3(%rip), %rdx
    movq %rdx, 0x28(%rsp)
    movq $4, 0x30(%rsp)
    leaq list(%rip), %rcx
    ret
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    require("gcc")
    place = tmp_path_factory.mktemp("counted")
    (place / "program.s").write_text(_PROGRAM)
    flags = ("-nostdlib", "-static", "-no-pie")
    subprocess.run(["gcc", *flags, "-o", place / "program", place / "program.s"], check=True)
    return (place / "program").read_bytes()


def test_what_code_and_data_lead_to_is_found(program: bytes) -> None:
    assert {b"git", b"push", b"less", b"tar"} <= set(counted_strings(read(program)))


def test_segments_that_lie_beyond_the_file_hold_none(program: bytes) -> None:
    image = read(program)
    content = bytearray(program)
    for number in range(image.header.phnum):
        at = image.header.phoff + 56 * number + 8
        content[at : at + 8] = (2**64 - 8).to_bytes(8, "little")
    assert list(counted_strings(read(bytes(content)))) == []
