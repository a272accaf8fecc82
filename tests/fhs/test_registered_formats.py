"""Programs that are started by what their packages declare."""

from denizen.fhs.registered_formats import interpreter_in
from denizen.fileview import Executable, MemoryView

DECLARED = b"interpreter /usr/bin/wrap\nmagic PK\n"
TREE: dict[bytes, bytes | Executable] = {
    b"/usr/share/binfmts/a-directory/x": b"",
    b"/usr/share/binfmts/broken": b"magic PK\n",
    b"/usr/share/binfmts/gone": b"interpreter /usr/bin/gone\nmagic PK\n",
    b"/usr/share/binfmts/wrap": DECLARED,
    b"/usr/bin/wrap": Executable(b"#!/bin/sh\n"),
    b"/usr/bin/jar": Executable(b"PK..."),
    b"/usr/bin/script": Executable(b"#!/bin/sh\n"),
    b"/usr/bin/elf": Executable(b"\x7fELF"),
    b"/usr/bin/other": Executable(b"MZ"),
    b"/usr/bin/empty": Executable(b""),
}


def test_the_first_that_is_there_and_takes_the_file_starts_it() -> None:
    assert interpreter_in(MemoryView(TREE), b"/usr/bin/jar") == b"/usr/bin/wrap"


def test_what_the_kernel_starts_or_nobody_declares_has_none() -> None:
    for name in (b"script", b"elf", b"other", b"empty"):
        assert interpreter_in(MemoryView(TREE), b"/usr/bin/" + name) == b""
    assert interpreter_in(MemoryView({b"/usr/bin/jar": Executable(b"PK")}), b"/usr/bin/jar") == b""
