"""Entry stubs: a patched copy of a program loads the loader itself, on hosts without namespaces (pure).

Bytes in, a plan out; nothing in the file moves, so an appended payload stays where the program
looks for it. Two changes always: PT_INTERP's type becomes one the kernel passes over (it would
refuse a program whose interpreter is missing), and the process begins in a stub that maps the loader
and jumps into it. Where the stub goes is a table of two rules, in order (stub_placement.py):

    slack   in the zero bytes after an executable segment, which the kernel maps with its last page;
            e_entry is changed
    entry   over the code at the entry point; the decision's edits make the loader put it back

The record the loader reads beside the stub is loader/entry_stub.h's. The stub is position independent:
open(path), mmap(64 KiB, read and execute), close, jump to e_entry of what was mapped with the
record's address in rdi; exit status 127 when a call fails.
"""

from __future__ import annotations

import struct

from denizen.elf.constants import ET_DYN, ET_EXEC, PT_INTERP
from denizen.elf.header import SEGMENT_SIZE
from denizen.errors import BadInput
from denizen.launch.decisions.decision import Edit
from denizen.launch.strategies.stub_placement import in_slack, over_entry
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.image import Image

STUB_INTERP = 0x6A7A6E49
RECORD = struct.Struct("<8sQQ")
MAGIC = b"DZSTUB\1\0"
EM_X86_64 = 62
_ENTRY_AT = 24  # e_entry in an ELF64 header

# Linux x86-64; rip-relative operands are filled in by _stub: the path and the record follow the code.
_OPEN = bytes.fromhex("31d2 be00000800 b802000000 0f05 85c0")  # edx 0; esi O_CLOEXEC; open; test eax
_MAP = bytes.fromhex(
    "4189c0 31ff be00000100 ba05000000 41ba02000000 4531c9"  # r8 fd; rdi 0; 64 KiB; R|X; private; 0
    "b809000000 0f05 4885c0"
)
_CLOSE = bytes.fromhex("4889c3 4489c7 b803000000 0f05 48035b18")  # rbx base; close(fd); rbx += e_entry
_JUMP = bytes.fromhex("ffe3")
_FAIL = bytes.fromhex("bf7f000000 b8e7000000 0f05")  # exit_group(127)


class CannotStub(BadInput):
    """The error that a program cannot be patched; `reason` says which rule forbids it."""

    reason: str
    WHAT = "the program cannot be given an entry stub"
    WHY = "{reason:text}"


class Patch(Value):
    """A change of the file's bytes at an offset."""

    offset: int
    old: bytes
    new: bytes


class StubPlan(Value):
    """The changes to the file, and the bytes that the loader must restore in memory.

    Attributes:
        rule: "slack" or "entry", see the module.
        patches: of the file.
        restores: edits for the decision of the patched copy.
    """

    rule: str
    patches: tuple[Patch, ...]
    restores: tuple[Edit, ...]


def plan_stub(program: Image, loader: bytes) -> StubPlan:
    """Return the plan to patch a copy of `program` so that it starts the loader at the path `loader`.

    Raises:
        CannotStub: another machine, no interpreter to stand in for, or no room.
    """
    interpreters = _check(program, loader)
    size = len(_stub(0, 0, loader))
    blanks = [_blank_interpreter(program, index) for index in interpreters]
    for rule, place in (
        ("slack", in_slack(program, size)),
        ("entry", over_entry(program, size)),
    ):
        if place is None:
            continue
        offset, address = place
        old = bytes(program.buffer[offset : offset + size])
        new = _stub(address, program.header.entry, loader)
        patches = [*blanks, Patch(offset, old, new)]
        if rule == "slack":
            patches.append(_new_entry(program, address))
            return StubPlan(rule, tuple(patches), ())
        return StubPlan(rule, tuple(patches), (Edit(address, new, old, program=True),))
    raise CannotStub(f"{size} bytes of slack or code at the entry point are needed")


def apply_plan(content: bytes, plan: StubPlan) -> bytes:
    """Return the patched content, of the same length.

    Raises:
        CannotStub: the content is not that for which the plan was made.
    """
    patched = bytearray(content)
    for patch in plan.patches:
        end = patch.offset + len(patch.old)
        if patched[patch.offset : end] != patch.old:
            raise CannotStub("the file is not the one the plan was made for")
        patched[patch.offset : end] = patch.new
    return bytes(patched)


def _check(program: Image, loader: bytes) -> list[int]:
    """Return the indices of PT_INTERP segments. Raises CannotStub for a program that cannot have a stub.

    All of them are needed: the kernel takes the first that it sees.
    """
    header = program.header
    if header.machine != EM_X86_64 or header.bits != 64 or not header.little:
        raise CannotStub(f"stubs are made for x86-64; this is {header.machine_name}")
    if header.type not in (ET_DYN, ET_EXEC) or not header.entry:
        raise CannotStub("it has no entry point")
    if not loader.startswith(b"/") or b"\0" in loader:
        raise CannotStub("the loader's path is not absolute")
    found = [index for index, segment in enumerate(program.segments) if segment.type == PT_INTERP]
    if not found:
        raise CannotStub("it names no interpreter, so nothing is missing")
    return found


def _stub(address: int, entry: int, loader: bytes) -> bytes:
    """Return code, record and path for a stub at this address; the record's `at` is its own address."""
    code_size = 7 + len(_OPEN) + 2 + len(_MAP) + 2 + len(_CLOSE) + 7 + len(_JUMP) + len(_FAIL)
    record_at = (code_size + 7) // 8 * 8
    path_at = record_at + RECORD.size
    fail_at = code_size - len(_FAIL)
    code = b"\x48\x8d\x3d" + struct.pack("<i", path_at - 7) + _OPEN  # lea path(%rip), %rdi
    code += b"\x78" + bytes([fail_at - len(code) - 2])  # js fail
    code += _MAP
    code += b"\x78" + bytes([fail_at - len(code) - 2])
    code += _CLOSE
    code += b"\x48\x8d\x3d" + struct.pack("<i", record_at - len(code) - 7)  # lea record(%rip), %rdi
    code += _JUMP + _FAIL
    packed = RECORD.pack(MAGIC, address + record_at, entry)
    return code.ljust(record_at, b"\xcc") + packed + loader + b"\0"


def _blank_interpreter(program: Image, index: int) -> Patch:
    offset = program.header.phoff + index * SEGMENT_SIZE[64]
    return Patch(offset, struct.pack("<I", PT_INTERP), struct.pack("<I", STUB_INTERP))


def _new_entry(program: Image, address: int) -> Patch:
    return Patch(_ENTRY_AT, struct.pack("<Q", program.header.entry), struct.pack("<Q", address))
