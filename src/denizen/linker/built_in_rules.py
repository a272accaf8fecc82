"""The rules a dynamic linker was built with, read from its own file (pure).

Distributions build glibc with other directories (Debian: /lib/x86_64-linux-gnu, Nix: its own store path),
and a program is subject to those of the interpreter it names. They are plain strings in that file:

    system_dirs     "/lib64/" NUL "/usr/lib64/" NUL ...          elf/dl-load.c
    DL_DST_LIB      "lib64" NUL                                  elf/dl-dst.h
    LD_SO_CACHE     "/etc/ld.so.cache" NUL                       elf/dl-cache.h
    banner          "... release version 2.36."                  elf/dl-usage.c, since 2.33

Limits: at most MAX_DIRECTORIES directories of MAX_NAME bytes are believed; MAX_SEARCHED bytes are searched.
"""

from __future__ import annotations

from denizen.elf.constants import PF_X, PT_LOAD
from denizen.elf.image import read
from denizen.errors import BadInput
from denizen.fileview import FileKind
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.bytesio import Buffer
    from denizen.elf.header import Header
    from denizen.elf.image import Image
    from denizen.fileview import FileView

# Default directories by word size, used where the interpreter's own cannot be read from its file:
# Makeconfig's slibdir and libdir for a build with prefix /usr.
DEFAULT_DIRECTORIES: dict[int, tuple[bytes, ...]] = {
    64: (b"/lib64/", b"/usr/lib64/"),
    32: (b"/lib/", b"/usr/lib/"),
}
MAX_DIRECTORIES = 16
MAX_NAME = 4096
# Bytes; glibc's dynamic linker has 0.2 MB, musl's 0.8.
MAX_SEARCHED = 16 * 1024 * 1024
CACHE_NAME = b"/ld.so.cache\0"
MUSL_BANNER = b"musl libc ("
# The version assumed for a file without banner, which came with `ld.so --version` in 2.33.
BEFORE_BANNER = (2, 32)


class Family(Enum):
    """The implementation whose rules a dynamic linker follows."""

    GLIBC = "glibc"
    MUSL = "musl"


class Interpreter(Value):
    """One dynamic linker.

    Attributes:
        path: the path by which the program or the caller names it.
        family: the implementation.
        version: of glibc, for rules that changed.
        system_directories: searched last and trusted under AT_SECURE; each ends in a slash.
        lib: the value of `$LIB`.
        cache: the path of its ld.so.cache.
        preload: the path of its ld.so.preload; None: it has none (musl).
        soname: its DT_SONAME.
        arch: musl's name of the architecture, as in ld-musl-ARCH.so.1.
    """

    path: bytes
    family: Family = Family.GLIBC
    version: tuple[int, int] = BEFORE_BANNER
    system_directories: tuple[bytes, ...] = DEFAULT_DIRECTORIES[64]
    lib: bytes | None = b"lib64"
    cache: bytes = b"/etc/ld.so.cache"
    preload: bytes | None = b"/etc/ld.so.preload"
    soname: bytes | None = None
    arch: bytes = b""


def read_interpreter(view: FileView, path: bytes) -> Interpreter | None:
    """Return the dynamic linker at `path`; None where there is no readable ELF file."""
    try:
        buffer = view.read(path)
        image = read(buffer)
        soname = image.dynamic.soname if image.dynamic else None
    except (OSError, BadInput):
        return None
    data = _constants(image, buffer)
    if MUSL_BANNER in data:
        return Interpreter(path, Family.MUSL, soname=soname, arch=_musl_arch(data), preload=None)
    directories = _system_directories(data) or DEFAULT_DIRECTORIES[image.header.bits]
    return Interpreter(
        path,
        version=_version(data),
        system_directories=directories,
        lib=_lib(data, directories),
        cache=_string_ending(data, CACHE_NAME) or b"/etc/ld.so.cache",
        preload=_string_ending(data, b"/ld.so.preload\0") or b"/etc/ld.so.preload",
        soname=soname,
    )


def unusable(view: FileView, path: bytes, header: Header) -> str:
    """Return why the kernel would not start a program with this header by the file at `path`, or "".

    "" too where there is no such file. Linux binfmt_elf.c: it must be an ELF file for the program's own
    machine and word size.
    """
    try:
        if view.stat(path).kind is not FileKind.FILE:
            return "is no file"
        other = read(view.read(path)).header
    except OSError:
        return ""
    except BadInput:
        return "is no ELF file"
    if (other.machine, other.bits) != (header.machine, header.bits):
        return f"is for {other.machine_name} ({other.bits}-bit)"
    return ""


def _constants(image: Image, buffer: Buffer) -> bytes:
    """Return the parts of the file that hold its strings.

    That is a third of the file if its linker placed constants apart from code, else the whole file.
    """
    apart = [s for s in image.segments if s.type == PT_LOAD and not s.flags & PF_X]
    if sum([s.file_size for s in apart]) <= MAX_SEARCHED:
        data = b"\0".join([bytes(buffer[s.offset : s.offset + s.file_size]) for s in apart])
        if CACHE_NAME in data or MUSL_BANNER in data:
            return data
    return bytes(buffer[:MAX_SEARCHED])


def assumed(path: bytes, bits: int) -> Interpreter:
    """Return the dynamic linker to assume from the name `path` where there is no such file."""
    name = path.rpartition(b"/")[2]
    if name.startswith(b"ld-musl-"):
        arch = name.removeprefix(b"ld-musl-").partition(b".")[0]
        return Interpreter(path, Family.MUSL, arch=arch, preload=None)
    lib = b"lib64" if bits == 64 else b"lib"
    return Interpreter(path, system_directories=DEFAULT_DIRECTORIES[bits], lib=lib)


def _version(data: bytes) -> tuple[int, int]:
    text = _after(data, b" release version ")
    major, _, minor = text.partition(b".")
    minor = minor.partition(b".")[0]
    if not (major.isdigit() and minor.isdigit() and len(major) < 4 and len(minor) < 5):
        return BEFORE_BANNER
    return int(major), int(minor)


def _system_directories(data: bytes) -> tuple[bytes, ...]:
    """Return the first run of strings that are absolute, end in a slash and begin with a lib directory."""
    at = -1
    while (at := data.find(b"/\0", at + 1)) >= 0:
        start = max(_rfind_nul(data, at) + 1, at - MAX_NAME)
        directories: list[bytes] = []
        while len(directories) < MAX_DIRECTORIES:
            directory = _string_at(data, start)
            if not (directory.startswith(b"/") and directory.endswith(b"/")):
                break
            directories.append(directory)
            start += len(directory) + 1
        if directories and b"/lib" in directories[0]:
            return tuple(directories)
    return ()


def _lib(data: bytes, directories: tuple[bytes, ...]) -> bytes | None:
    """Return DL_DST_LIB: the first system directory that also occurs as a string without its prefix."""
    names = [directory.strip(b"/").removeprefix(b"usr/") for directory in directories]
    for name in names:
        if b"\0" + name + b"\0" in data:
            return name
    # Nix: the prefix is a store path, $LIB still "lib".
    return names[0].rpartition(b"/")[2] if names else None


def _musl_arch(data: bytes) -> bytes:
    return _after(data, MUSL_BANNER).partition(b")")[0]


def _string_ending(data: bytes, ending: bytes) -> bytes | None:
    """Return the absolute path with this ending, or None; `ending` includes its NUL."""
    at = data.find(ending)
    if at < 0:
        return None
    found = _string_at(data, max(_rfind_nul(data, at) + 1, at - MAX_NAME))
    return found if found.startswith(b"/") else None


def _after(data: bytes, marker: bytes) -> bytes:
    at = data.find(marker)
    return b"" if at < 0 else data[at + len(marker) : at + len(marker) + 32]


def _string_at(data: bytes, start: int) -> bytes:
    return data[start : start + MAX_NAME].partition(b"\0")[0]


def _rfind_nul(data: bytes, before: int) -> int:
    """Return the position of the last NUL before `before`, or of the start of the window searched.

    Only MAX_NAME bytes are searched, as strings here are short.
    """
    return max(0, before - MAX_NAME) + data[max(0, before - MAX_NAME) : before].rfind(b"\0")
