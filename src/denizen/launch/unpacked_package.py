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
# Where a package has directories of files that its programs look for (Filesystem Hierarchy Standard 4.6, 4.7,
# 4.11); and those directories there that are for people, desktops, shells, compilers, services.
_OWN_FILES = (b"usr/lib", b"usr/libexec", b"usr/share")
_OF_OTHERS = frozenset(
    b"aclocal appdata applications apport bash-completion bug cmake doc doc-base fish icons info lintian "
    b"locale man menu metainfo mime mime-info pixmaps pkgconfig sysctl.d systemd sysusers.d tmpfiles.d udev "
    b"zsh".split()
)
_TRIPLET_END = (b"-linux-gnu", b"-linux-gnueabihf")
_MAX_DEPTH = 16
_MAX_PACKAGES = 32
# Bytes of a changelog that is read; the longest of Debian 12's are a tenth.
_MAX_CHANGELOG = 8_000_000


class UnpackedPackage(Value):
    """A package.

    Attributes:
        version: of its source; b"" where nothing tells it.
        program: where the program lies in it, absolute; a link where it was named by one.
        has_files: whether files lie with it that programs look for at fixed paths.
    """

    name: bytes
    version: bytes
    program: bytes
    has_files: bool = False


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
            place = (program if program.startswith(top + b"/") else path)[len(top) :]
            more = _has_files(view, top)
            return tuple(UnpackedPackage(name, version, place, more) for name, version in found.items())
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


def _has_files(view: FileView, top: bytes) -> bool:
    """Tell whether files lie below `top` that programs look for at fixed paths, by their directories."""
    own = [posixpath.join(top, name) for name in _OWN_FILES]
    libraries = own[0]
    # Those of an architecture are one level deeper; libraries are found by their names.
    own += [path for path in _directories(view, libraries) if path.endswith(_TRIPLET_END)]
    found = [path for one in own for path in _directories(view, one)]
    return any(
        posixpath.basename(path) not in _OF_OTHERS and not path.endswith(_TRIPLET_END) for path in found
    )


def _directories(view: FileView, directory: bytes) -> list[bytes]:
    try:
        paths = [posixpath.join(directory, name) for name in view.listdir(directory)]
        return [path for path in paths if view.lstat(path).kind is FileKind.DIRECTORY]
    except OSError:
        return []


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
