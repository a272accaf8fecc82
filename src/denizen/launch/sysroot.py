"""The sysroot of a program that qemu-user runs, while the program runs: what comes is shown in it.

    SYSROOT/.opened     -> the directory of links for what the program opens (launch/dlopen_record.py)
           /.program    -> the program
           /.libraries  -> the first default directory of its dynamic linker, in the sysroot

The same directory below /usr has the same libraries: packages' directories are one.

The process that answers for the program (loader/enter/sysroot_misses.c) is told a path in the sysroot and
finds the rest there.
"""

from __future__ import annotations

import os

from denizen.disk import link_atomically
from denizen.launch.resources.resource_tree import open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OPENED, _PROGRAM, _LIBRARIES = b".opened", b".program", b".libraries"


def mark_sysroot(top: bytes, opened: bytes, program: bytes, libraries: bytes) -> None:
    """Note in the sysroot at `top` what is answered for.

    `libraries` is the path by which the program knows its directory of libraries. Raises OSError.
    """
    # What comes is never written where a link of the tree leads into the store.
    for directory in library_directories(libraries):
        open_directory(top, top + directory)
    for name, target in ((_OPENED, opened), (_PROGRAM, program), (_LIBRARIES, libraries.lstrip(b"/"))):
        link_atomically(os.path.join(top, name), target)


def library_directories(first: bytes) -> tuple[bytes, ...]:
    """Return the directories of libraries in a sysroot, by the first in which the dynamic linker searches."""
    return first, b"/usr" + first


def is_sysroot(top: bytes) -> bool:
    """Tell whether the tree at `top` is one in which an emulator looks; b"" is none."""
    return top != b"" and os.path.islink(os.path.join(top, _LIBRARIES))


def show_in_sysroot(top: bytes, links: Mapping[bytes, bytes]) -> None:
    """Show libraries that came (name -> path) in the tree at `top`, if it is a sysroot. Raises OSError."""
    if not is_sysroot(top):
        return
    for directory in library_directories(b"/" + os.readlink(os.path.join(top, _LIBRARIES))):
        for name, path in links.items():
            link_atomically(os.path.join(top + directory, name), path)
