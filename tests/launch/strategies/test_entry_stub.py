"""The plan of an entry stub: what it changes in a file, what it refuses."""

import struct

import pytest

from denizen.elf.constants import PT_INTERP
from denizen.elf.image import read
from denizen.launch.strategies.entry_stub import (
    RECORD,
    STUB_INTERP,
    CannotStub,
    Patch,
    StubPlan,
    apply_plan,
    plan_stub,
)
from denizen.value import replace

_LOADER = b"/home/user/.local/share/denizen/denizen-loader"
_CODE_AT, _DATA_AT = 0x1000, 0x2000


def program(*, code: int = 0x400, interpreter: bool = True, machine: int = 62) -> bytes:
    """A program of one page of headers, one of code (`code` bytes used) and one of data."""
    interp = (PT_INTERP, 4, 0x300, 0x300, 0x300, 8, 8, 1)
    text = (1, 5, _CODE_AT, _CODE_AT, _CODE_AT, code, code, 0x1000)
    data = (1, 6, _DATA_AT, _DATA_AT, _DATA_AT, 16, 16, 0x1000)
    rows = [*([interp] if interpreter else []), text, data]
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, _CODE_AT, 64, 0, 0, 64, 56, len(rows), 0, 0, 0
    )
    content = (header + b"".join(struct.pack("<IIQQQQQQ", *row) for row in rows)).ljust(_CODE_AT, b"\0")
    content += (b"\x90" * code).ljust(0x1000, b"\0") + b"d" * 16
    return content[:0x300] + b"/ld.so\0\0" + content[0x308:]


def test_slack_takes_the_stub_and_the_entry_moves_there() -> None:
    content = program()
    plan = plan_stub(read(content), _LOADER)
    patched = read(apply_plan(content, plan))
    assert plan.rule == "slack"
    assert plan.restores == ()
    assert patched.header.entry == _CODE_AT + 0x400
    assert patched.segments[0].type == STUB_INTERP
    assert patched.segments[1:] == read(content).segments[1:]


def test_the_record_names_itself_and_the_old_entry() -> None:
    content = apply_plan(program(), plan_stub(read(program()), _LOADER))
    at = content.find(b"DZSTUB\1\0")
    assert RECORD.unpack_from(content, at)[1:] == (at, _CODE_AT)
    assert content[at + RECORD.size :].startswith(_LOADER + b"\0")


def test_without_slack_the_entry_is_covered_and_put_back() -> None:
    content = program(code=0x1000)
    plan = plan_stub(read(content), _LOADER)
    patched = apply_plan(content, plan)
    (restore,) = plan.restores
    assert plan.rule == "entry"
    assert read(patched).header.entry == restore.address == _CODE_AT
    assert restore.program
    assert patched.replace(restore.old, restore.new, 1)[_CODE_AT:] == content[_CODE_AT:]


def test_bytes_that_may_be_a_payloads_are_not_slack() -> None:
    header = read(program()).header
    alone = bytearray(program()[:_DATA_AT])
    struct.pack_into("<H", alone, 56, header.phnum - 1)
    assert plan_stub(read(bytes(alone)), _LOADER).rule == "entry"


@pytest.mark.parametrize(
    ("content", "loader", "why"),
    [
        (program(interpreter=False), _LOADER, "no interpreter"),
        (program(machine=183), _LOADER, "x86-64"),
        (program(), b"loader", "not absolute"),
        (program(), b"/" + b"x" * 4096, "are needed"),
    ],
)
def test_what_cannot_be_patched_is_refused(content: bytes, loader: bytes, why: str) -> None:
    with pytest.raises(CannotStub, match=why):
        plan_stub(read(content), loader)


def test_a_plan_is_for_one_file() -> None:
    plan = plan_stub(read(program()), _LOADER)
    other = replace(plan, patches=(Patch(0, b"other", b"bytes"),))
    assert isinstance(other, StubPlan)
    with pytest.raises(CannotStub, match="not the one"):
        apply_plan(program(), other)
