"""The identity of a program, by which its decision is found; the decision's file names (pure).

The loader computes the same (loader/program_identity.c; the names in loader/decision.c), and so does
launch/fast_path.py, which imports less.
"""

from __future__ import annotations

import struct
from itertools import accumulate

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.image import Image
    from denizen.fileview import Stat

_WORD = (1 << 64) - 1


class Identity(Value):
    """The identity of a program's file, from `stat`; the key of its decision."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def identity_of(facts: Stat) -> Identity:
    """Return the identity of the file that `facts` describe."""
    return Identity(facts.device, facts.inode, facts.size, facts.mtime_ns, facts.ctime_ns)


def identity_name(identity: Identity) -> bytes:
    """Return the file name of the decision for the program with this identity."""
    return b"%x-%x-%x-%x-%x" % (
        identity.device,
        identity.inode,
        identity.size,
        identity.mtime_ns & _WORD,
        identity.ctime_ns & _WORD,
    )


def alias_name(build_id: bytes, size: int) -> bytes:
    """Return the second file name of a decision, by which a moved or copied program finds it.

    `size` is the program's size in bytes.
    """
    return b"b-%s-%x" % (build_id.hex().encode(), size)


def machine_of(program: Image) -> int:
    """Return the decision's `machine` for this program."""
    return machine_word(program.header.bits, program.header.machine)


def machine_word(bits: int, machine: int) -> int:
    """Return word size and `e_machine` as one number: a decision is for one kind of loader."""
    return bits << 16 | machine


def headers_of(program: Image) -> bytes:
    """Return the decision's `headers`, which the loader also computes from the mapped program header table.

    Raises:
        Truncated: the table is incomplete.
    """
    from denizen.bytesio import take  # a start by a kept decision reads no ELF file: 2 ms
    from denizen.elf.header import SEGMENT_SIZE

    header = program.header
    size = header.phnum * SEGMENT_SIZE[header.bits]
    return sum_words(take(program.buffer, header.phoff, size, "program header table"))


def sum_words(content: bytes) -> bytes:
    """Return two sums modulo 2**64 over little-endian 64-bit words: of the words, and of the running sums.

    They find damage, not forgery: a decision is trusted by the owner of its file. Any change of one word
    changes the first sum.
    """
    words = struct.unpack(f"<{len(content) // 8}Q", content[: len(content) // 8 * 8])
    return struct.pack("<QQ", sum(words) & _WORD, sum(accumulate(words)) & _WORD)
