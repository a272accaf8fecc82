"""`denizen sbom`: the packages of a program, an environment or a profile as a bill of materials."""

from __future__ import annotations

import hashlib
import os

from denizen import __version__
from denizen.app.exports.export_subject import SubjectKind
from denizen.app.exports.exported_packages import element_programs, packages_of, packages_of_closure
from denizen.disk import open_regular, refuse_hollow
from denizen.errors import display
from denizen.formats import sbom
from denizen.formats.debian_copyright import MAX_SIZE, licences
from denizen.formats.sbom import SbomComponent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.exports.exported_packages import ExportedPackage
    from denizen.app.session import Session

FORMATS = {"cyclonedx": sbom.cyclonedx, "spdx": sbom.spdx}


def describe(
    session: Session, subject: ExportSubject, request: ClosureRequest, format_name: str
) -> dict[str, object]:
    """Return a document about a subject and its packages. Raises as `packages_of` does."""
    packages = list(packages_of(session, subject, request))
    described = SbomComponent(subject.name, kind=_KINDS[subject.kind])
    if subject.kind is SubjectKind.PROGRAM:
        described = _of_file(subject.name, os.path.realpath(request.program))
    others = list(_others(session, subject, request, packages))
    every = [*map(_component, packages), *others]
    components = list({one.reference: one for one in every}.values())
    return FORMATS[format_name](described, components, __version__)


# Names of CycloneDX for what is described.
_KINDS = {
    SubjectKind.PROGRAM: "application",
    SubjectKind.ENVIRONMENT: "container",
    SubjectKind.PROFILE: "platform",
}


def _others(
    session: Session, subject: ExportSubject, request: ClosureRequest, packages: list[ExportedPackage]
) -> Iterator[SbomComponent]:
    """Yield a profile's programs that are no packages; the packages of their libraries join `packages`."""
    if subject.kind is not SubjectKind.PROFILE:
        return
    from denizen.app.bundles.program_closure import is_static, opened_program, packaged_closure
    from denizen.value import replace

    for _, program in element_programs(session, subject.text):
        yield _of_file(display(os.path.basename(program)), program)
        if not is_static(opened_program(program)):
            closure = packaged_closure(session, replace(request, program=program))
            packages += packages_of_closure(closure)


def _of_file(name: str, path: bytes) -> SbomComponent:
    with open(path, "rb", opener=open_regular) as stream:
        refuse_hollow(stream.fileno(), path)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return SbomComponent(name, sha256=digest, kind="application")


def _component(one: ExportedPackage) -> SbomComponent:
    return SbomComponent(
        one.name, one.version, one.architecture, one.sha256, one.suite, _licences(one), one.libraries
    )


def _licences(one: ExportedPackage) -> tuple[str, ...]:
    """Return the licences by a package's copyright file; () where it has none, or leads to another's."""
    place = os.path.realpath(os.path.join(one.tree, b"usr/share/doc", one.name.encode(), b"copyright"))
    if not one.tree or not place.startswith(os.path.realpath(one.tree) + b"/"):
        return ()
    try:
        with open(place, "rb") as stream:
            return licences(stream.read(MAX_SIZE))
    except OSError:
        return ()
