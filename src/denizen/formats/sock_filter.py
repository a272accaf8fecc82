"""Programs of seccomp filters, `sock_filter` of linux/filter.h (pure).

An instruction is a code, how many are skipped if true and if false, and an operand (linux/bpf_common.h). A
program reads `seccomp_data`: the number of a system call, its architecture (AUDIT_ARCH_*) and six arguments
(seccomp(2)).
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Instruction: TypeAlias = tuple[int, int, int, int]

# Load a word, compare, test bits, mask, return.
LOAD, EQUAL, BITS, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
# What is returned; ERRNO has the number of an error in its low half.
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
# Where the parts of `seccomp_data` are; an argument has 8 bytes.
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16


def filter_bytes(program: Iterable[Instruction]) -> bytes:
    """Return a program as the kernel takes it."""
    return b"".join([struct.pack("<HBBI", *one) for one in program])
