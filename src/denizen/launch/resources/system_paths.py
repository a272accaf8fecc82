"""The parts of a tree with a whole /usr and /etc that the host lacks (pure over a FileView).

The sysroot of an emulated program is asked before the host is, whose own files are to come first.
"""

from __future__ import annotations

import posixpath

from denizen.fileview import FileKind, exists
from denizen.launch.resources.fixed_paths import FixedPathResource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView

_TOP = (b"/etc", b"/opt", b"/usr", b"/var")
# Who runs and where is the host's to say; an emulator looks for commands in no sysroot; documentation.
_LEFT_OUT = frozenset(
    {b"/etc/group", b"/etc/gshadow", b"/etc/host.conf", b"/etc/hostname", b"/etc/hosts", b"/etc/ld.so.cache"}
    | {b"/etc/ld.so.conf", b"/etc/ld.so.conf.d", b"/etc/ld.so.preload", b"/etc/localtime", b"/etc/machine-id"}
    | {b"/etc/nsswitch.conf", b"/etc/passwd", b"/etc/resolv.conf", b"/etc/shadow", b"/etc/timezone"}
    | {b"/usr/bin", b"/usr/games", b"/usr/sbin", b"/usr/share/doc", b"/usr/share/man"}
)
_DEPTH = 8


def system_resources(view: FileView, system: bytes) -> Iterator[FixedPathResource]:
    """Yield the files of a tree whose paths the host lacks, whole directories where it lacks those."""
    for top in _TOP:
        yield from _lacking(view, system, top, _DEPTH)


def _lacking(view: FileView, system: bytes, path: bytes, depth: int) -> Iterator[FixedPathResource]:
    source = system + path
    if path in _LEFT_OUT or not exists(view, source):
        return
    is_directory = view.stat(source).kind is FileKind.DIRECTORY
    holds = any(one.startswith(path + b"/") for one in _LEFT_OUT)
    if not exists(view, path) and not (is_directory and holds):
        yield FixedPathResource(path, source, directory=is_directory)
    elif is_directory and depth and (holds or _is_directory(view, path)):
        for name in sorted(view.listdir(source)):
            yield from _lacking(view, system, posixpath.join(path, name), depth - 1)


def _is_directory(view: FileView, path: bytes) -> bool:
    return view.stat(path).kind is FileKind.DIRECTORY
