"""A root file system with what starts in it, as a value."""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.exports.exported_packages import ExportedPackage
    from denizen.exports.rootfs_tree import RootTree

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NothingToExport(BadInput):
    """The error that a subject has no files."""

    name: str
    WHAT = "there is nothing in {name}"
    REMEDY = "denizen list; denizen fhs list"


class ExportRoot(Value):
    """A root file system with what starts in it.

    Attributes:
        name: of the subject.
        tree: the files.
        packages: whose files there are.
        architecture: by Debian's name.
        entrypoint: the program with its path, () where there is not one.
        command: what is started where nothing is said, () for nothing.
        environment: variables as `NAME=VALUE`.
    """

    name: str
    tree: RootTree
    packages: tuple[ExportedPackage, ...]
    architecture: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = (PATH,)
