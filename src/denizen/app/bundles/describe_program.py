"""`denizen sbom`: which packages a program needs, with hashes and licences, as a bill of materials."""

from __future__ import annotations

import hashlib
import os

from denizen import __version__
from denizen.app.bundles.closure import is_static, opened_program, packaged_closure
from denizen.errors import display
from denizen.formats import sbom
from denizen.formats.debian_copyright import MAX_SIZE, licences
from denizen.formats.sbom import SbomComponent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.closure import ClosureRequest, ProgramClosure
    from denizen.app.session import Session
    from denizen.resolve.resolution import Pin

FORMATS = {"cyclonedx": sbom.cyclonedx, "spdx": sbom.spdx}


def describe_program(session: Session, request: ClosureRequest, format_name: str) -> dict[str, object]:
    """Return a document about a program and the packages it needs. Raises as `packaged_closure` does."""
    program = opened_program(request.program)
    name = display(os.path.basename(request.program))
    described = SbomComponent(name, sha256=hashlib.sha256(program.view.read(program.path)).hexdigest())
    components: list[SbomComponent] = []
    if not is_static(program):
        closure = packaged_closure(session, request)
        components = [_component(pin, closure) for pin in closure.resolution.packages]
    return FORMATS[format_name](described, components, __version__)


def _component(pin: Pin, closure: ProgramClosure) -> SbomComponent:
    used = [one.soname for one in closure.resolution.choices if one.package == pin.sha256]
    return SbomComponent(
        pin.name.decode(),
        pin.version.decode(),
        pin.architecture.decode(),
        pin.sha256.decode("ascii"),
        pin.suite,
        _licences(closure.packages[pin.sha256], pin.name),
        tuple(map(display, sorted(used))),
    )


def _licences(tree: bytes, name: bytes) -> tuple[str, ...]:
    """Return the licences by a package's copyright file; () where it has none, or leads to another's."""
    place = os.path.realpath(os.path.join(tree, b"usr/share/doc", name, b"copyright"))
    if not place.startswith(os.path.realpath(tree) + b"/"):
        return ()
    try:
        with open(place, "rb") as stream:
            return licences(stream.read(MAX_SIZE))
    except OSError:
        return ()
