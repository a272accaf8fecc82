import pytest

from denizen.binfmt_misc import read_declaration, read_handler

QEMU = (
    b"enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POCF\noffset 0\n"
    b"magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
)


def test_what_binfmt_misc_takes_is_told_by_bits_or_by_name() -> None:
    qemu = read_handler(QEMU)
    assert qemu is not None
    assert qemu.interpreter == b"/usr/libexec/qemu-binfmt/aarch64-binfmt-P"
    header = b"\x7fELF\2\1\1" + bytes(9) + b"\3\0\xb7\0" + bytes(40)
    assert qemu.takes(b"/x", header)
    assert not qemu.takes(b"/x", header.replace(b"\xb7", b"\x3e"))
    assert not qemu.takes(b"/x", header[:10])
    java = read_handler(b"enabled\ninterpreter /usr/bin/jexec\nflags:\nextension .jar\n")
    assert java is not None
    assert java.takes(b"/opt/a.b/c.jar", b"")
    assert not java.takes(b"/opt/a.jar/c", b"")


@pytest.mark.parametrize(
    "text", [b"", b"enabled\n", QEMU.replace(b"enabled", b"disabled"), QEMU.replace(b"magic 7", b"magic x")]
)
def test_what_says_nothing_takes_nothing(text: bytes) -> None:
    assert read_handler(text) is None


def test_what_a_package_declares_is_read_with_its_escapes() -> None:
    java = read_declaration(
        b"package j\ndetector /usr/bin/jardetector\ninterpreter /usr/bin/jarwrapper\nmagic PK\\x03\\x04\n"
    )
    assert java is not None
    assert java.interpreter == b"/usr/bin/jarwrapper"
    assert java.takes(b"/usr/share/x/x.jar", b"PK\3\4rest")
    assert not java.takes(b"/usr/share/x/x.jar", b"PK\5\6rest")
    later = read_declaration(b"interpreter /usr/bin/y\noffset 2\nmagic ab\nmask \\xff\\xdf\n")
    assert later is not None
    assert later.takes(b"/x", b"..aB")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"magic PK\n",
        b"interpreter relative\nmagic PK\n",
        b"interpreter /usr/bin/x\n",
        b"interpreter /usr/bin/x\nmagic PK\nmask \\xff\n",
        b"interpreter /usr/bin/x\nmagic PK\noffset 99999999\n",
        b"interpreter /usr/bin/x\nmagic PK\noffset -1\n",
    ],
)
def test_a_declaration_that_does_not_hold_together_is_none(text: bytes) -> None:
    assert read_declaration(text) is None
