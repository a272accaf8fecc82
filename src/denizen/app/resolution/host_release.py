"""The release of this host's distribution, for programs that belong to it.

A program of a distribution is built with the libraries of its release, and may want exactly those: sqlite3
compares its own source's identity with libsqlite3's. So they are asked for in that release first, not in the
newest.
"""

from __future__ import annotations

import os

from denizen.formats.os_release import os_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView

_RELEASES = (b"/etc/os-release", b"/usr/lib/os-release")
_LISTS = b"/var/lib/dpkg/info"
_MERGED = (b"/usr/bin/", b"/usr/sbin/", b"/usr/lib")
# Where packages have programs and libraries, and the part of it that they leave alone (Policy 9.1).
_PACKAGED = (b"/usr/", b"/bin/", b"/sbin/", b"/lib", b"/opt/", b"/etc/", b"/var/lib/")
_LOCAL = b"/usr/local/"


def own_release(view: FileView, path: bytes, distribution: str) -> str:
    """Return the codename of this host's release of a distribution; "" for a file of none of its packages.

    Args:
        view: of this host.
        path: of the file, links followed.
        distribution: its name, as an archive's Release has it.
    """
    if not path.startswith(_PACKAGED) or path.startswith(_LOCAL):
        return ""
    fields = _fields(view)
    codename = fields.get(b"VERSION_CODENAME", b"").decode("ascii", "replace")
    if fields.get(b"ID", b"").lower() != distribution.lower().encode() or not codename.isalnum():
        return ""
    return codename if _is_packaged(view, path) else ""


def _fields(view: FileView) -> dict[bytes, bytes]:
    for path in _RELEASES:
        try:
            return os_release(bytes(view.read(path)))
        except OSError:
            continue
    return {}


def _is_packaged(view: FileView, path: bytes) -> bool:
    """Tell whether dpkg installed the file; its lists may have the path from before /usr was merged."""
    names = [path, path.removeprefix(b"/usr")] if path.startswith(_MERGED) else [path]
    lines = [b"\n" + name + b"\n" for name in names]
    try:
        lists = [name for name in view.listdir(_LISTS) if name.endswith(b".list")]
    except OSError:
        return False
    # A package is often named like its program.
    likely = os.path.basename(path)
    lists.sort(key=lambda name: not name.startswith(likely))
    return any(_has_one(view, os.path.join(_LISTS, name), lines) for name in lists)


def _has_one(view: FileView, path: bytes, lines: list[bytes]) -> bool:
    try:
        text = b"\n" + bytes(view.read(path))
    except OSError:
        return False
    return any(line in text for line in lines)
