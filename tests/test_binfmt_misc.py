import pytest

from denizen.binfmt_misc import read_handler

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
