"""The roots of environments and profiles: trees composed of packages with all that these depend on.

A profile's packages become a tree as an environment has it, with the base set; its programs that are no
packages lie beside that below /opt, and are found by links in /usr/local/bin.
"""

from __future__ import annotations

import os

from denizen.app.exports.disk_entries import disk_entries, same_content
from denizen.app.exports.export_root import PATH, ExportRoot, NothingToExport
from denizen.app.exports.exported_packages import (
    ExportedPackage,
    element_programs,
    packages_of_environment,
    packages_of_pins,
    pins_of_profile,
)
from denizen.app.exports.program_rootfs import ProgramAdding, write_status
from denizen.exports.rootfs_tree import SYSTEM, RootTree
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.session import Session
    from denizen.formats.file_tree import Entry
    from denizen.profiles.profile_manifest import ProfileManifest


# Where an entered environment has its own and the host's (fhs/entry_command.py); its tree is at the second.
_ENTERED = b"/.denizen/"
_TREE = b"/.denizen/environment/"


def environment_root(session: Session, subject: ExportSubject) -> ExportRoot:
    """Return the root of an environment's current generation. Raises NoEnvironment, NoStore."""
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.generations import EnvironmentStore

    generation = EnvironmentStore(session.paths.state).current(subject.text)
    packages = packages_of_environment(session, generation)
    root = RootTree(same_content)
    _add_tree(root, open_store(session).place_of(generation.tree), packages)
    root.complete()
    write_status(root, packages)
    variables = tuple(f"{name}={text}" for name, text in generation.settings.environment)
    architecture = (generation.settings.architectures or (packages[0].architecture,))[0]
    command = ("/bin/sh",) if b"usr/bin/sh" in root else ()
    return ExportRoot(
        subject.name, root, packages, architecture, command=command, environment=(PATH, *variables)
    )


def _add_tree(root: RootTree, tree: bytes, packages: Sequence[ExportedPackage]) -> None:
    """Put a composed tree into a root; each file belongs to the package that has it."""
    from denizen.fhs.builtin_fhs import PACKAGES

    owners: dict[bytes, list[tuple[Entry, str]]] = {}
    for package in packages:
        for entry in disk_entries(package.tree) if package.tree else ():
            if not isinstance(entry, Directory):
                owners.setdefault(entry.path, []).append((entry, package.title))
    for entry in disk_entries(tree):
        settled = _without_host(entry)
        if settled is not None and entry.path != PACKAGES:
            root.add(settled, _owner(entry, owners.get(entry.path, ())))


def _without_host(entry: Entry) -> Entry | None:
    """Return an entry as it is outside of an entered environment; None for a link to the host's files."""
    if not isinstance(entry, Symlink) or not entry.target.startswith(_ENTERED):
        return entry
    if not entry.target.startswith(_TREE):
        return None
    return Symlink(entry.path, b"/" + entry.target.removeprefix(_TREE))


def _owner(entry: Entry, candidates: Sequence[tuple[Entry, str]]) -> str:
    for one, title in candidates:
        if isinstance(entry, File) and isinstance(one, File) and same_content(one, entry):
            return title
        if isinstance(entry, Symlink) and isinstance(one, Symlink) and one.target == entry.target:
            return title
    return SYSTEM


def profile_root(session: Session, subject: ExportSubject, request: ClosureRequest) -> ExportRoot:
    """Return the root of a profile's current generation. Raises as `root_of`."""
    from denizen.app.profiles.profile_access import profile_of
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.app.supply.store_access import open_store

    store = open_store(session)
    profile = profile_of(session, subject.text)
    manifest = profile.manifest(profile.required())
    if not manifest.elements:
        raise NothingToExport(subject.text)
    root = RootTree(same_content)
    packages = _add_profile_packages(session, root, manifest, request)
    adding = ProgramAdding(session, root)
    adding.packages = {one.sha256: one for one in packages}
    for name, program in element_programs(session, subject.text):
        tree = store.place_of(store.path_at(program))
        place = adding.add(name, replace(request, program=program), tree)
        root.link(b"usr/local/bin/" + os.path.basename(program), b"/" + place)
    root.complete()
    adding.finish()
    command = ("/bin/sh",) if b"usr/bin/sh" in root else ()
    found = tuple(adding.packages.values())
    return ExportRoot(subject.name, root, found, own_architecture(), command=command)


def _add_profile_packages(
    session: Session, root: RootTree, manifest: ProfileManifest, request: ClosureRequest
) -> tuple[ExportedPackage, ...]:
    """Compose a root of the profile's packages with the base set, as an environment has it."""
    from denizen.app.environments.fhs_create import composed
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.generations import Settings
    from denizen.sources.fetch_policy import FetchPolicy

    pins = pins_of_profile(manifest)
    if not pins:
        return ()
    suites = next((one.suites for one in manifest.elements if one.pins), ())
    settings = Settings((), suites, (own_architecture(),))
    policy = FetchPolicy(offline=request.offline)
    made, pins = composed(session, settings, policy, pins)
    packages = packages_of_pins(session, pins, policy)
    _add_tree(root, open_store(session).place_of(made), packages)
    return packages
