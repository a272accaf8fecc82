"""The packages of a program, an environment or a profile, each with its unpacked tree."""

from __future__ import annotations

import os

from denizen.app.exports.export_subject import SubjectKind
from denizen.errors import display
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.app.bundles.program_closure import ClosureRequest, ProgramClosure
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.session import Session
    from denizen.fhs.generations import Generation
    from denizen.profiles.profile_manifest import ProfileManifest
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy


class ExportedPackage(Value):
    """A package as it is exported and described.

    Attributes:
        sha256: of the package's file, in hex.
        tree: the unpacked package; b"" where it is not here.
        libraries: the sonames that a program uses of it; () where all of it is used.
    """

    name: str
    version: str
    architecture: str
    suite: str
    sha256: str
    tree: bytes
    libraries: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}"


def packages_of_closure(closure: ProgramClosure) -> tuple[ExportedPackage, ...]:
    """Return the packages that a program's libraries are of."""
    return tuple(
        replace(_of_pin(pin, closure.packages[pin.sha256]), libraries=_used(closure, pin.sha256))
        for pin in closure.resolution.packages
    )


def _used(closure: ProgramClosure, sha256: bytes) -> tuple[str, ...]:
    return tuple(sorted(display(one.soname) for one in closure.resolution.choices if one.package == sha256))


def packages_of_environment(session: Session, generation: Generation) -> tuple[ExportedPackage, ...]:
    """Return the packages of an environment. Raises NoStore, DiskFailed."""
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.builtin_fhs import PACKAGES
    from denizen.formats.storepath import from_base
    from denizen.resolve.installation.resolution_derivations import object_name
    from denizen.store.errors import doing

    store = open_store(session)
    place = store.place_of(generation.tree)
    with doing("read", place), open(os.path.join(place, PACKAGES), "rb") as stream:
        objects = [from_base(line) for line in stream.read().split()]
    found: dict[str, list[bytes]] = {}
    for one in objects:
        found.setdefault(one.name, []).append(store.place_of(one))
    return tuple(
        ExportedPackage(part.name, part.version, part.architecture, part.suite, part.sha256, tree)
        for part in generation.parts
        for tree in found.get(object_name(part.name.encode(), part.version.encode()), [b""])[:1]
    )


def pins_of_profile(manifest: ProfileManifest) -> tuple[Pin, ...]:
    """Return the packages of a profile's elements, and those they depend on, sorted by name."""
    pins = {pin.sha256: pin for element in manifest.elements for pin in element.pins}
    return tuple(sorted(pins.values(), key=lambda pin: (pin.name, pin.version, pin.sha256)))


def element_programs(session: Session, profile: str) -> Iterator[tuple[str, bytes]]:
    """Yield the programs of a profile that are no packages: the element's name, the program in the store."""
    from denizen.app.profiles.profile_access import profile_of
    from denizen.app.supply.store_access import open_store
    from denizen.profiles.builtin_commands import PROGRAMS

    found = profile_of(session, profile)
    store = open_store(session)
    for element in found.manifest(found.required()).elements:
        commands = [part for part in element.parts if part.outside == "bin" and not element.pins]
        for name in element.commands if commands else ():
            link = os.path.join(store.place_of(commands[0].path), os.fsencode(PROGRAMS), os.fsencode(name))
            yield element.name, os.path.realpath(link)


def packages_of_pins(
    session: Session, pins: Iterable[Pin], policy: FetchPolicy
) -> tuple[ExportedPackage, ...]:
    """Return packages unpacked; those that are not in the store are fetched. Raises SourceFailed."""
    from denizen.app.supply.package_supply import supply_of
    from denizen.app.supply.store_access import made_store
    from denizen.resolve.installation.install import unpacked

    supply = supply_of(session, policy)
    with made_store(session) as store, store.working() as work:
        return tuple(_of_pin(pin, store.place_of(unpacked(store, work, pin, supply))) for pin in pins)


def packages_of(
    session: Session, subject: ExportSubject, request: ClosureRequest
) -> tuple[ExportedPackage, ...]:
    """Return the packages of a subject; () for a static program.

    Raises as `packaged_closure`, for a program; NoEnvironment, NoSuchGeneration, SourceFailed.
    """
    from denizen.app.bundles.program_closure import is_static, opened_program, packaged_closure
    from denizen.app.profiles.profile_access import profile_of
    from denizen.fhs.generations import EnvironmentStore
    from denizen.sources.fetch_policy import FetchPolicy

    if subject.kind is SubjectKind.ENVIRONMENT:
        return packages_of_environment(session, EnvironmentStore(session.paths.state).current(subject.text))
    if subject.kind is SubjectKind.PROFILE:
        profile = profile_of(session, subject.text)
        manifest = profile.manifest(profile.required())
        return packages_of_pins(session, pins_of_profile(manifest), FetchPolicy(offline=request.offline))
    if is_static(opened_program(request.program)):
        return ()
    return packages_of_closure(packaged_closure(session, request))


def _of_pin(pin: Pin, tree: bytes) -> ExportedPackage:
    return ExportedPackage(
        display(pin.name),
        display(pin.version),
        display(pin.architecture),
        pin.suite,
        pin.sha256.decode("ascii"),
        tree,
    )
