"""The sysroot of a program that qemu-user runs, while the program runs: what comes is shown in it.

    SYSROOT/.opened     -> the directory of links for what the program opens (launch/dlopen_record.py)
           /.program    -> the program
           /.libraries  -> the first default directory of its dynamic linker, in the sysroot

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
    open_directory(top, top + libraries)
    for name, target in ((_OPENED, opened), (_PROGRAM, program), (_LIBRARIES, libraries.lstrip(b"/"))):
        link_atomically(os.path.join(top, name), target)


def is_sysroot(top: bytes) -> bool:
    """Tell whether the tree at `top` is one in which an emulator looks; b"" is none."""
    return top != b"" and os.path.islink(os.path.join(top, _LIBRARIES))


def show_in_sysroot(top: bytes, links: Mapping[bytes, bytes]) -> None:
    """Show libraries that came (name -> path) in the tree at `top`, if it is a sysroot. Raises OSError."""
    for name, path in links.items() if is_sysroot(top) else ():
        link_atomically(os.path.join(top, _LIBRARIES, name), path)
