"""`denizen export`: a subject's root file system in a form that other tools take."""

from __future__ import annotations

import os

from denizen.app.exports.export_subject import SubjectKind
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.exports.export_root import ExportRoot
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.exports.exported_packages import ExportedPackage
    from denizen.app.session import Session


class ExportForm(Enum):
    """The forms of exports; the values are the options of the command line."""

    OCI = "oci"
    TAR = "tar"
    SQUASHFS = "squashfs"
    DEB = "deb"


# Where the user names none.
TAG, DEB_VERSION = "latest", "1.0"


class ExportRequest(Value):
    """The subject and the form.

    Attributes:
        subject: what is exported.
        closure: the program, if it is one, and the options of resolving.
        form: of the result.
        target: its path.
        tree: a directory that goes with a program as a whole, b"" for none.
        reference: the tag of an image.
        labels: of an image, besides denizen's own.
        version: of a Debian package.
    """

    subject: ExportSubject
    closure: ClosureRequest
    form: ExportForm
    target: bytes
    tree: bytes = b""
    reference: str = TAG
    labels: tuple[tuple[str, str], ...] = ()
    version: str = DEB_VERSION


class ExportMade(Value):
    """An export that was made.

    Attributes:
        size: of all its files, in bytes.
        digest: of an image, by which registries name it; "" for other forms.
        layers: of an image: what is in each, and its size in bytes.
        packages: whose files it has.
    """

    target: bytes
    size: int
    digest: str
    layers: tuple[tuple[str, int], ...]
    packages: tuple[ExportedPackage, ...]


def export(session: Session, request: ExportRequest) -> ExportMade:
    """Make an export.

    Raises:
        NoDebianPackage: it is no program, and a package was asked for.
        AlreadyThere, DiskFailed: it cannot be written. Also as `check_output_directory`.

    Also raises the errors of `root_of`.
    """
    from denizen.app.exports.debian_package import NoDebianPackage, write_deb
    from denizen.output_place import check_output_directory

    check_output_directory(request.target)
    if request.form is ExportForm.DEB:
        if request.subject.kind is not SubjectKind.PROGRAM:
            raise NoDebianPackage(request.subject.text)
        packages = write_deb(session, request.closure, request.target, request.version, request.tree)
        return _made(request, packages)
    from denizen.app.exports.archives import write_root_archive, write_root_image
    from denizen.app.exports.oci_layout import write_oci
    from denizen.app.supply.store_access import made_store

    with made_store(session) as store, store.working() as work:
        root = root_of(session, request.subject, request.closure, request.tree)
        work.need([store.path_at(one.tree) for one in root.packages if one.tree])
        if request.form is ExportForm.OCI:
            image = write_oci(root, request.target, request.reference, request.labels)
            layers = tuple((one.created_by, one.blob.size) for one in image.layers)
            return _made(request, root.packages, image.digest, layers)
        write = write_root_archive if request.form is ExportForm.TAR else write_root_image
        write(root, request.target)
        return _made(request, root.packages)


def root_of(session: Session, subject: ExportSubject, request: ClosureRequest, tree: bytes) -> ExportRoot:
    """Return the root file system of a subject.

    Args:
        session: the places.
        subject: what is exported.
        request: the program, if it is one, and the options of resolving.
        tree: a directory that goes with a program as a whole, b"" for none.

    Raises:
        NothingToExport: it has no files.
        ExportConflict: two of its parts have different files at one path.
        NoClosure: a program cannot be exported. And the errors of resolving, fetching, composing.
    """
    if subject.kind is SubjectKind.PROGRAM:
        from denizen.app.exports.program_rootfs import program_root

        return program_root(session, subject, request, tree)
    from denizen.app.exports.environment_rootfs import environment_root, profile_root

    if subject.kind is SubjectKind.ENVIRONMENT:
        return environment_root(session, subject)
    return profile_root(session, subject, request)


def _made(
    request: ExportRequest,
    packages: tuple[ExportedPackage, ...],
    digest: str = "",
    layers: tuple[tuple[str, int], ...] = (),
) -> ExportMade:
    target = os.path.abspath(request.target)
    return ExportMade(target, _size(target), digest, layers, packages)


def _size(path: bytes) -> int:
    if not os.path.isdir(path):
        return os.stat(path).st_size
    return sum(
        os.stat(os.path.join(place, name)).st_size for place, _, names in os.walk(path) for name in names
    )
