"""The root file system of a subject: which files are where in it, and how it is started."""

from __future__ import annotations

from denizen.app.exports.export_subject import SubjectKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.exports.rootfs import ExportRoot
    from denizen.app.session import Session


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
        NotBundled: a program cannot be exported. And the errors of resolving, fetching, composing.
    """
    if subject.kind is SubjectKind.PROGRAM:
        from denizen.app.exports.program_rootfs import program_root

        return program_root(session, subject, request, tree)
    from denizen.app.exports.composed_rootfs import environment_root, profile_root

    if subject.kind is SubjectKind.ENVIRONMENT:
        return environment_root(session, subject)
    return profile_root(session, subject, request)
