"""Whole systems in memory for the linker model: a dynamic linker's file, a cache, libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denizen.fileview import MemoryView
from tests.support.elf_builder import Elf, build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.fileview import Entry

GLIBC = b"/lib64/ld-linux-x86-64.so.2"
MUSL = b"/lib/ld-musl-x86_64.so.1"


def glibc(
    *, version: bytes = b"2.36", directories: bytes = b"/lib64/\0/usr/lib64/\0", lib: bytes = b"lib64"
) -> bytes:
    """Return a file with the strings that built_in_rules.py reads from ld.so."""
    strings = (
        b"\0" + directories + b"\0" + lib + b"\0/etc/ld.so.cache\0/etc/ld.so.preload\0"
        b"ld.so (GNU libc) stable release version " + version + b".\n\0"
    )
    return build(Elf(soname=b"ld-linux-x86-64.so.2")) + strings


def musl() -> bytes:
    return build(Elf(soname=b"libc.so")) + b"\0musl libc (x86_64)\nVersion %s\n\0"


def program(*needed: bytes, interpreter: bytes = GLIBC, **fields: object) -> bytes:
    return build(Elf(interpreter=interpreter, needed=needed, **fields))  # type: ignore[arg-type]  # Elf's own


def library(soname: bytes, *needed: bytes, **fields: object) -> bytes:
    return build(Elf(soname=soname, needed=needed, **fields))  # type: ignore[arg-type]  # Elf's own


def system_of(files: Mapping[bytes, Entry], *, loader: bytes | None = None) -> MemoryView:
    """Return a view of files, with glibc's dynamic linker unless another or b"" is given."""
    linker = glibc() if loader is None else loader
    return MemoryView(({GLIBC: linker} if linker else {}) | dict(files))
