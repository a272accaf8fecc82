"""Programs that a bundled program may start: those of its tree, and those packed into its own file.

A program whose file ends in a zip archive unpacks it at its first start (bazel, which so brings a Java of its
own). What its members need is found by reading them, as for the tree's programs; nothing is executed.
"""

from __future__ import annotations

import os
import zipfile

from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.elf.constants import MAGIC
from denizen.errors import BadInput
from denizen.formats.bundle_image import is_below
from denizen.resolve.directory_objects import added_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.launch.program import Program

# Of a tree with more programs, the first by their paths' depth.
MAX_PROGRAMS = 256
# Bytes of one member of an archive, and of all that are looked at.
_MAX_MEMBER = 256 << 20
_MAX_MEMBERS = 1 << 30


def programs_below(directory: bytes, program: Program) -> tuple[bytes, ...]:
    """Return the dynamic programs below a directory for the machine and the C library of `program`."""
    return only_programs(added_objects(DiskView(), [directory], program.path))[:MAX_PROGRAMS]


def only_programs(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return those of some files that name a dynamic linker."""
    return tuple([path for path in paths if _is_program(path)])


def _is_program(path: bytes) -> bool:
    try:
        return read(DiskView().read(path)).interpreter is not None
    except (OSError, BadInput):
        return False


def unpack_packed(program: Program, directory: bytes) -> None:
    """Unpack the ELF files of a program's own zip archive, below `directory`; nothing where it has none.

    A damaged archive, or one beyond the limits, counts as far as it can be read.
    """
    payload = program.image.payload if program.image is not None else None
    if payload is None or payload.kind != "zip":
        return
    left = _MAX_MEMBERS
    try:
        with zipfile.ZipFile(os.fsdecode(program.path)) as archive:
            for name, member in _members(archive):
                left -= member.file_size
                if left < 0:
                    return
                _unpack_elf(archive, member, os.path.join(directory, name))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        return


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[bytes, zipfile.ZipInfo]]:
    for member in archive.infolist():
        name = os.fsencode(member.filename)
        if not member.is_dir() and member.file_size <= _MAX_MEMBER and is_below(name):
            yield name, member


def _unpack_elf(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: bytes) -> None:
    with archive.open(member) as stream:
        start = stream.read(len(MAGIC))
        if start != MAGIC:
            return
        os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
        with open(target, "wb") as written:
            written.write(start + stream.read(_MAX_MEMBER))
