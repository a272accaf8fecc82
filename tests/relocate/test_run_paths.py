"""Run paths with directories added, and without those in which nothing is found."""

from denizen.elf import read
from denizen.elf.constants import PF_R
from denizen.fileview import MemoryView
from denizen.relocate.run_paths import added, shrunk
from tests.support.elf_builder import Elf, Note, build

LIBRARY = build(Elf(soname=b"lib.so"))
PLACE = b"/opt/app/bin/program"
PATH = b"/first:$ORIGIN/../lib:/second:/third:/opt/$LIB"


def note(*names: bytes) -> Note:
    content = b'[{"soname":[%s]}]\0' % b",".join(b'"%s"' % name for name in names)
    return Note(b"FDO", 0x407C0C0A, content)


def left(elf: Elf, files: dict[bytes, bytes]) -> bytes:
    content = bytearray(build(elf))
    # Names are looked for in what cannot be written; elf_builder's last header is its PT_LOAD.
    content[64 + 56 * (read(bytes(content)).header.phnum - 1) + 4] = PF_R
    data = bytes(content)
    return shrunk(MemoryView({PLACE: data, b"/first/": b"", **files}), PLACE, read(data))


def test_directories_are_added_once_and_at_the_end() -> None:
    assert added(None, (b"/a:/b", b"/a")) == b"/a:/b"
    assert added(b"/b:/c", (b"/a:/b",)) == b"/b:/c:/a"


def test_the_first_directory_with_a_needed_library_is_kept() -> None:
    files = {b"/second/liba.so": LIBRARY, b"/third/liba.so": LIBRARY, b"/opt/app/lib/libb.so": LIBRARY}
    program = Elf(needed=(b"liba.so", b"libb.so", b"libc.so.6"), runpath=PATH)
    assert left(program, files) == b"$ORIGIN/../lib:/second:/opt/$LIB"


def test_directories_of_libraries_opened_at_run_time_are_kept() -> None:
    """patchelf leaves them out, and dlopen fails (NixOS/patchelf#265)."""
    files = {b"/third/libplugin.so.1": LIBRARY, b"/second/libtext.so.2": LIBRARY}
    noted = Elf(runpath=PATH, notes=(note(b"libplugin.so.1"),))
    assert left(noted, files) == b"/third:/opt/$LIB"
    named = Elf(runpath=PATH, segments=((0x70000000, b"\0libtext.so.2\0"),))
    assert left(named, files) == b"/second:/opt/$LIB"


def test_an_inherited_path_is_kept_for_libraries_of_libraries() -> None:
    """DT_RPATH is searched for those too, DT_RUNPATH is not."""
    files = {b"/second/liba.so": build(Elf(needed=(b"libb.so",))), b"/third/libb.so": LIBRARY}
    assert left(Elf(needed=(b"liba.so",), rpath=PATH), files) == b"/second:/third:/opt/$LIB"
    assert left(Elf(needed=(b"liba.so",), runpath=PATH), files) == b"/second:/opt/$LIB"


def test_an_object_without_a_run_path_keeps_none() -> None:
    assert left(Elf(needed=(b"liba.so",)), {}) == b""
