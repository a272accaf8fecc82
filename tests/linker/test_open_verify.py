import struct

import pytest

from denizen.linker.open_verify import VerifyTarget, check_glibc, check_musl
from denizen.linker.rule_tables import Reason
from tests.support.elf_builder import Elf, build

X86_64 = VerifyTarget(64, little=True, machine=62)
GOOD = build(Elf())[:64]


def changed(offset: int, content: bytes) -> bytes:
    return GOOD[:offset] + content + GOOD[offset + len(content) :]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (GOOD, None),
        (GOOD[:63], Reason.TOO_SHORT),
        (b"", Reason.TOO_SHORT),
        (changed(0, b"\x7fELG"), Reason.NOT_ELF),
        (changed(4, b"\1"), Reason.WRONG_CLASS),
        (changed(5, b"\2"), Reason.BYTE_ORDER),
        (changed(6, b"\2"), Reason.IDENT_VERSION),
        (changed(7, b"\3"), None),
        (changed(7, b"\6"), Reason.OSABI),
        (changed(7, b"\3\3"), None),
        (changed(7, b"\3\4"), Reason.ABI_VERSION),
        (changed(8, b"\1"), Reason.ABI_VERSION),
        (changed(9, b"\1"), Reason.PADDING),
        (changed(20, b"\2"), Reason.VERSION),
        (changed(18, b"\xb7\0"), Reason.WRONG_MACHINE),
        (changed(16, b"\2\0"), None),
        (changed(16, b"\4\0"), Reason.NOT_LOADABLE),
        (changed(54, struct.pack("<H", 57)), Reason.PHENTSIZE),
        # The class is looked at before the byte order, the machine before the type: two that end
        # nothing come before two that end the start.
        (changed(4, b"\1\2"), Reason.WRONG_CLASS),
        (changed(16, b"\4\0\xb7\0"), Reason.WRONG_MACHINE),
    ],
)
def test_a_header_is_judged_in_open_verifys_order(head: bytes, reason: Reason | None) -> None:
    assert check_glibc(head, X86_64) is reason


def test_musl_looks_at_the_type_alone() -> None:
    assert check_musl(changed(0, b"ABCD\1\2\3"), X86_64) is None
    assert check_musl(changed(16, b"\4\0"), X86_64) is Reason.NOT_LOADABLE
    assert check_musl(GOOD[:20], X86_64) is Reason.TOO_SHORT
