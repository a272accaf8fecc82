"""A program as a Debian package: the bundle's directory below /opt, its command in /usr/bin.

All that the program needs is in it, so it depends on nothing and conflicts with nothing of the host's, and
installs on any release of Debian and what is derived from it.
"""

from __future__ import annotations

import hashlib
import os
import posixpath

from denizen.app.bundles.bundle_files import entries_of
from denizen.app.bundles.bundle_program import bundle_launcher
from denizen.app.bundles.program_closure import is_static, opened_program, packaged_closure
from denizen.app.exports.archives import xz_packer
from denizen.app.exports.atomic_output import staged_file
from denizen.app.exports.disk_entries import disk_file, same_content
from denizen.app.exports.exported_packages import packages_of_closure
from denizen.app.supply.own_architecture import own_architecture
from denizen.errors import BadInput
from denizen.exports.rootfs_tree import SYSTEM, RootTree
from denizen.formats.bundle_image import EntryKind
from denizen.formats.deb_writer import (
    PackageControl,
    checksums,
    control_text,
    package,
    package_name,
)
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.tar_writer import write_tar
from denizen.host import machine_name
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.exports.exported_packages import ExportedPackage
    from denizen.app.session import Session
    from denizen.formats.bundle_image import ImageEntry
    from denizen.formats.file_tree import Entry

_MAINTAINER = "nobody <nobody@localhost>"
_OPT = b"opt"


class NoDebianPackage(BadInput):
    """The error that a subject is no program."""

    name: str
    WHAT = "{name} cannot become a Debian package"
    WHY = "a package is made of one program; an environment's files would be other packages' files"
    REMEDY = "--oci, --tar or --squashfs"


def write_deb(
    session: Session, request: ClosureRequest, target: bytes, version: str, whole: bytes = b""
) -> tuple[ExportedPackage, ...]:
    """Write the package of a program; return the packages whose files are in it.

    Raises:
        BadPackageField: the version cannot be a package's.
        NoClosure, LoaderAbsent, DiskFailed: as when it is bundled.
    """
    name = package_name(os.fsdecode(os.path.basename(request.program)))
    tree = RootTree(same_content, directories=())
    packages = _add_program(session, request, tree, name.encode(), whole)
    _add_licences(tree, packages, name.encode())
    entries = list(tree.entries())
    size = sum(one.size for one in entries if isinstance(one, File))
    using = ", ".join(f"{one.name} (= {one.version})" for one in packages)
    control = PackageControl(
        name,
        version,
        own_architecture(),
        size,
        _MAINTAINER,
        (f"{name} with all that it needs", "Made by denizen; its libraries are its own."),
        (("Denizen-Packages", using),) if using else (),
    )
    with staged_file(target) as stream:
        stream.write(package(_control_archive(control, entries), _packed(entries)))
    return packages


def _add_program(
    session: Session, request: ClosureRequest, tree: RootTree, name: bytes, whole: bytes
) -> tuple[ExportedPackage, ...]:
    program = opened_program(request.program)
    command = b"usr/bin/" + os.path.basename(request.program)
    if is_static(program):
        tree.add(disk_file(command, program.path, program=True), SYSTEM)
        return ()
    closure = packaged_closure(session, replace(request, tree=whole))
    place = posixpath.join(_OPT, name)
    launcher = bundle_launcher(os.path.basename(request.program))
    for entry in (*entries_of(closure, whole, machine_name()), launcher):
        tree.add(_tree_entry(entry, place), SYSTEM)
    tree.add(Symlink(command, posixpath.join(b"../..", place, launcher.name)), SYSTEM)
    return packages_of_closure(closure)


def _tree_entry(entry: ImageEntry, place: bytes) -> Entry:
    path = posixpath.join(place, entry.name)
    if entry.kind is EntryKind.DIRECTORY:
        return Directory(path)
    if entry.kind is EntryKind.LINK:
        return Symlink(path, bytes(entry.content))
    executable = entry.kind is EntryKind.PROGRAM
    return File(path, executable=executable, size=len(entry.content), content=(entry.content,))


def _add_licences(tree: RootTree, packages: Sequence[ExportedPackage], name: bytes) -> None:
    """Write one copyright file (Policy 12.5) of those of all packages that it has files of."""
    parts = [b"Each part has the licence of the package that it is from.\n"]
    for one in packages:
        path = os.path.join(one.tree, b"usr/share/doc", one.name.encode(), b"copyright")
        real = os.path.realpath(path)
        if real.startswith(os.path.realpath(one.tree) + b"/") and os.path.isfile(real):
            with open(real, "rb") as stream:
                parts.append(f"\n-- {one.title}\n\n".encode() + stream.read())
    tree.write(b"usr/share/doc/" + name + b"/copyright", b"".join(parts))


def _control_archive(control: PackageControl, entries: Sequence[Entry]) -> bytes:
    digests = {one.path: _md5(one) for one in entries if isinstance(one, File)}
    files = {b"control": control_text(control), b"md5sums": checksums(digests)}
    return _packed(
        [File(path, executable=False, size=len(text), content=(text,)) for path, text in files.items()]
    )


def _md5(entry: File) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in entry.content:
        digest.update(piece)
    return digest.hexdigest()


def _packed(entries: Iterable[Entry]) -> bytes:
    packer = xz_packer()
    parts: list[bytes] = []
    write_tar(entries, lambda piece: parts.append(packer.compress(piece)), prefix=b"./")
    return b"".join((*parts, packer.flush()))
