"""Debian packages among whose unpacked files a program lies (pure over a FileView).

`dpkg-deb -x` leaves the files of a package below a directory as they would lie below /. The directory of the
package in usr/share/doc (Debian Policy 12.3) tells its name, and the changelog there its version. Where it is
a link to that of another package, which is not here, nothing tells the version (`emacs-nox`, `php8.2-cli`).
"""

from __future__ import annotations

import posixpath

from denizen.fileview import FileKind
from denizen.formats.debian_changelog import newest_version
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView

_DOCUMENTS = b"usr/share/doc"
# Names by Debian Policy 12.7: of a package whose maintainer is not its author, and of another.
_CHANGELOGS = (b"changelog.Debian.gz", b"changelog.gz")
_TOP_DIRECTORIES = (b"bin", b"sbin", b"usr")
_MAX_DEPTH = 16
_MAX_PACKAGES = 32
# Bytes of a changelog that is read; the longest of Debian 12's are a tenth.
_MAX_CHANGELOG = 8_000_000


class UnpackedPackage(Value):
    """A package.

    Attributes:
        version: of its source; b"" where nothing tells it.
        program: where the program lies in it, absolute.
    """

    name: bytes
    version: bytes
    program: bytes


def unpacked_packages(view: FileView, program: bytes) -> tuple[UnpackedPackage, ...]:
    """Return the packages that are unpacked where the program at `program` (absolute) lies.

    Return () for a program of the system, which lies below / itself.
    """
    try:
        path = view.realpath(program)
    except OSError:
        return ()
    top = posixpath.dirname(path)
    for _ in range(_MAX_DEPTH):
        below = path[len(top) :].lstrip(b"/").partition(b"/")[0]
        if top == b"/":
            return ()
        if below in _TOP_DIRECTORIES and (found := _packages_below(view, top)):
            return tuple(UnpackedPackage(name, version, path[len(top) :]) for name, version in found.items())
        top = posixpath.dirname(top)
    return ()


def _packages_below(view: FileView, top: bytes) -> dict[bytes, bytes]:
    """Return the versions of the packages unpacked below `top` by their names."""
    documents = posixpath.join(top, _DOCUMENTS)
    try:
        names = sorted(view.listdir(documents))[: _MAX_PACKAGES + 1]
    except OSError:
        return {}
    if len(names) > _MAX_PACKAGES:
        return {}  # a whole system
    directories = {name: posixpath.join(documents, name) for name in names}
    versions = {name: _version(view, directory) for name, directory in directories.items()}
    return {name: one for name, one in versions.items() if one or _is_link(view, directories[name])}


def _is_link(view: FileView, path: bytes) -> bool:
    try:
        return view.lstat(path).kind is FileKind.SYMLINK
    except OSError:
        return False


def _version(view: FileView, directory: bytes) -> bytes:
    for name in _CHANGELOGS:
        path = posixpath.join(directory, name)
        try:
            facts = view.stat(path)
            if facts.kind is FileKind.FILE and facts.size <= _MAX_CHANGELOG:
                return newest_version(bytes(view.read(path)))
        except OSError:
            continue
    return b""
