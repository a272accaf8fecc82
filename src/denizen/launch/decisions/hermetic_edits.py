"""Edits after which a dynamic linker from a package reads nothing of the host's by its defaults (pure)."""

from __future__ import annotations

import re

from denizen.launch.decisions.decision import Edit
from denizen.launch.decisions.ldso_addresses import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf.image import Image

# glibc elf/dl-cache.h, LD_SO_CACHE, and elf/rtld.c, preload_file: both lead to the host's libraries.
_HOST_FILES = (b"/etc/ld.so.cache\0", b"/etc/ld.so.preload\0")
# Nothing is ever found below a path that is not a directory.
_NOWHERE = b"/dev/null/"
# glibc elf/dl-load.c keeps its default directories as one run of NUL-terminated strings, those of the
# architecture or distribution first (sysdeps/unix/sysv/linux/*/Makefile, `slibdir` and `libdir`); the
# compiler makes two copies of it. Nobody can create a file in /sys, and slashes repeat freely.
_DIRECTORIES = re.compile(rb"(?:/[\w./+-]*/\0){0,8}(?:/lib/\0/usr/lib/|/lib64/\0/usr/lib64/)\0", re.ASCII)
_EMPTY_DIRECTORY = b"/sys"


def hermetic_edits(ldso: Image, search: bytes = b"") -> tuple[Edit, ...]:
    """Return edits after which this glibc finds nothing by the host's cache or default directories.

    A foreign dynamic linker reads the host's /etc/ld.so.cache and /etc/ld.so.preload and searches the host's
    /lib: a library found there was built against another libc. The result is empty where the strings are not
    found (musl).

    `search` is a directory that replaces a default one if it is no longer (26 bytes with its slash on
    Debian's x86-64). Every object then searches it last, even one whose DT_RUNPATH keeps it from the
    program's DT_RPATH. A longer directory is left out, and such objects do not find it.
    """
    content = bytes(ldso.buffer)
    found = {path: _NOWHERE.ljust(len(path) - 1, b"x") + b"\0" for path in _HOST_FILES}
    found |= {run: _blanked(run, search.rstrip(b"/") + b"/") for run in _DIRECTORIES.findall(content)}
    return tuple(
        Edit(address, old, new)
        for old, new in found.items()
        for at in _places_of(content, old)
        for address in address_of(ldso, at)
    )


def _places_of(content: bytes, text: bytes) -> Iterator[int]:
    at = content.find(text)
    while at >= 0:
        yield at
        at = content.find(text, at + len(text))


def _blanked(run: bytes, search: bytes) -> bytes:
    """Return the run of directories with each replaced by one of the same length.

    The lengths must not change, because ld.so keeps them elsewhere.
    """
    names = run.split(b"\0")[:-1]
    new = [_EMPTY_DIRECTORY.ljust(len(name), b"/") for name in names]
    fitting = [index for index, name in enumerate(names) if len(search) <= len(name)]
    if fitting and len(search) > 1:
        new[fitting[-1]] = search.ljust(len(names[fitting[-1]]), b"/")
    return b"".join(name + b"\0" for name in new)
