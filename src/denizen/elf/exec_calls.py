"""System calls that start other programs, in the code of a static program (pure).

A C library has one function that makes the system call, with the call's number in the instruction before, and
static linking leaves it out where nothing calls it: tried with glibc and musl, busybox, and Rust on glibc. Go
makes every system call by one function, but keeps the names of those that are linked, stripped or not.

Limits: a program that computes the call's number is taken for one that starts no others.
"""

from __future__ import annotations

from denizen.bytesio import find_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer

_GO = (b"syscall.forkExec", b"syscall.Exec\0")
# e_machine of elf.h.
_386, _X86_64, _AARCH64 = 3, 62, 183
# "move the number of execve or execveat, make a system call": asm/unistd_64.h, unistd_32.h, unistd.h.
_CALLS = {
    _X86_64: (b"\xb8\x3b\0\0\0\x0f\x05", b"\xb8\x42\x01\0\0\x0f\x05"),
    # int $0x80, and glibc's call of the function at %gs:0x10.
    _386: (b"\xb8\x0b\0\0\0\xcd\x80", b"\xb8\x0b\0\0\0\x65\xff\x15\x10\0\0\0"),
    _AARCH64: (b"\xa8\x1b\x80\xd2\x01\0\0\xd4", b"\x28\x23\x80\xd2\x01\0\0\xd4"),
}


def starts_others(data: Buffer, machine: int) -> bool:
    """Tell whether a static program for `machine` (e_machine) can execute other programs, by its code."""
    texts = (*_CALLS.get(machine, ()), *_GO)
    # A search for each: one for all of them, by a pattern of alternatives, takes three times as long.
    return any(find_text(data, text) >= 0 for text in texts)
