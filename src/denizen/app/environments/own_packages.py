"""The packages that a program's environment gets: those that the user names, and those it was unpacked from.

Modules, plugins and data of other packages lie at paths that were compiled in, and fit the program where they
are of its own release. The packages from which it was unpacked name both.
"""

from __future__ import annotations

import functools
import os
import re

from denizen.app.environments.fhs_create import size_to_fetch
from denizen.app.recommended_packages import recommended_packages
from denizen.app.run_time.budget import over_budget
from denizen.app.supply.base_suite import made_base_index
from denizen.app.supply.liblzma_setup import bring_decoder
from denizen.app.supply.own_architecture import own_architecture
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.provenance_cache import known_suites
from denizen.app.supply.store_access import made_store
from denizen.disk import same_content
from denizen.errors import SourceFailed, display
from denizen.fhs.generations import Settings
from denizen.fhs.package_relations import groups
from denizen.fileview import exists
from denizen.launch.kept_out import NOT_FETCHED
from denizen.launch.unpacked_package import unpacked_packages
from denizen.machines import by_elf, debian_name
from denizen.resolve.installation import install as installation
from denizen.resolve.resolution import pin_of
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.decisions.examine_program import ExaminedProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.package_relations import Relation
    from denizen.index.locate import Index
    from denizen.index.provider import Provider
    from denizen.launch.fhs_rules import EnvironmentNeeds
    from denizen.launch.unpacked_package import UnpackedPackage

# Sections of packages whose files come with the libraries that are linked.
_LIBRARY_SECTIONS = (b"", b"libs", b"oldlibs")
# Of packages that any system has (Debian Policy 2.5): most of them are for the scripts of maintainers.
_PRIORITIES_OF_ANY_SYSTEM = (b"required", b"important", b"standard")
# What an update of a stable release and a rebuild add to a version (Debian Policy 5.6.12, deb-version(7)).
_LATER_BUILD = re.compile(rb"(\+deb[0-9]+u[0-9]+|\+b[0-9]+)+\Z")


def with_own_packages(
    session: Session, examined: ExaminedProgram, wanted: RunRequest, wants: EnvironmentNeeds
) -> EnvironmentNeeds:
    """Return what the program needs besides libraries, with its own packages where it needs what they name.

    A script that gets an environment for its interpreter has its modules there too. A program in machine
    code gets an environment if its package has files besides programs and libraries, or depends on another
    one of exactly its own version, which was built with it, or on one that is no library.

    Raises OSError, BadSetting, HostLacks.
    """
    if not _may_want(examined, wanted, wants):
        return wants
    view, program = examined.program.view, examined.program.path
    unpacked = unpacked_packages(view, program)
    # A host that has a static program where its package has it has what comes with it there.
    if not unpacked or (examined.report.stands_alone and exists(view, unpacked[0].program)):
        return wants
    architecture = program_architecture(examined)
    for suite in wanted.suites or known_suites(session):
        found = _of_suite(session, suite, unpacked, examined, wanted)
        if found.packages and (wants.paths or found.wants_more or unpacked[0].has_files):
            reason = f"its package {', '.join(found.packages)} has files at fixed paths, or depends on others"
            named = (*wants.packages, *found.packages)
            kind = Settings(named, (suite,), (architecture,))
            packages = (*named, *_permitted(session, wanted, kind, found.recommended))
            reasons = (*wants.reasons, reason)
            standing = unpacked[0].program if len(found.packages) == len(unpacked) else b""
            return replace(wants, packages=packages, reasons=reasons, suites=(suite,), standing=standing)
        if found.packages:
            return wants
    return wants


def with_named_packages(session: Session, wanted: RunRequest, wants: EnvironmentNeeds) -> EnvironmentNeeds:
    """Return the needs of a program that gets an environment, with the packages that `--with` names.

    A name that no package has is left to the resolution of libraries. Raises OSError, BadSetting, HostLacks.
    """
    named = [name for name in wanted.extra if "/" not in name]
    if not named or wanted.lock is not None or not (wants.paths or wants.packages):
        return wants
    policy = FetchPolicy(offline=wanted.offline)
    with made_base_index(session, wanted.suites or wants.suites, Scope.LIBRARIES, policy) as index:
        known = [name for name in named if index.packages(os.fsencode(name))]
    return replace(wants, packages=(*wants.packages, *known))


def _may_want(examined: ExaminedProgram, wanted: RunRequest, wants: EnvironmentNeeds) -> bool:
    image = examined.program.image
    if wanted.lock is not None or wanted.installed or wanted.around:
        return False
    if image is None:
        return bool(wants.paths)
    # What a static program opens and executes tells no report.
    if examined.is_satisfied and not examined.report.stands_alone:
        return False
    return examined.report.is_emulated or program_architecture(examined) == own_architecture()


def program_architecture(examined: ExaminedProgram) -> str:
    """Return the architecture of a program's packages by Debian's name: this machine's for a script."""
    if examined.program.image is None:
        return own_architecture()
    header = examined.program.image.header
    return debian_name(by_elf(header.machine, header.bits, little=header.little))


class _OwnPackages(Value):
    """The unpacked packages that a suite has.

    Attributes:
        packages: their names.
        wants_more: the program cannot do by its libraries alone.
        recommended: the names of what comes with them, being recommended.
    """

    packages: tuple[str, ...] = ()
    wants_more: bool = False
    recommended: tuple[str, ...] = ()


def _of_suite(
    session: Session,
    suite: str,
    unpacked: Sequence[UnpackedPackage],
    examined: ExaminedProgram,
    wanted: RunRequest,
) -> _OwnPackages:
    """Return those of the unpacked packages that a suite has in their version.

    Return none for a suite that cannot be asked, which is told.
    """
    policy, architecture = FetchPolicy(offline=wanted.offline), program_architecture(examined)
    try:
        with made_base_index(session, (suite,), Scope.LIBRARIES, policy, architecture) as index:
            asked = _AskedSuite(session, policy, index, examined.program.path)
            found = [same for one in unpacked if (same := asked.package(one)) is not None]
            return _OwnPackages(
                tuple(one.package.decode() for one in found),
                any(map(asked.wants_more, found)),
                tuple(dict.fromkeys(name for one in found for name in recommended_packages(index, one))),
            )
    except SourceFailed as problem:
        session.reporter.say(
            f"denizen: {display(suite.encode())} is not asked for its package: {problem.what}"
        )
        return _OwnPackages()


def _permitted(
    session: Session, wanted: RunRequest, named: Settings, recommended: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what comes with packages, being recommended; () if it may not be fetched, which is told."""
    policy = FetchPolicy(offline=wanted.offline)
    new = tuple(name for name in recommended if name not in named.packages)
    if not new:
        return ()
    with_new = replace(named, packages=(*named.packages, *new))
    more = size_to_fetch(session, with_new, policy) - size_to_fetch(session, named, policy)
    reason = NOT_FETCHED if wanted.offline and more else over_budget(session, more)
    if not reason:
        return new
    session.reporter.say(
        f"denizen: {', '.join(new)}, which its package recommends, is left out: {reason}; "
        f"to have it: denizen run --with {new[0]} PROGRAM"
    )
    return ()


class _AskedSuite(Value):
    """One suite that is asked for the packages from which the program at `program` was unpacked."""

    session: Session
    policy: FetchPolicy
    index: Index
    program: bytes

    def package(self, unpacked: UnpackedPackage) -> Provider | None:
        """Return the suite's package that is the unpacked one, None if it has another or none."""
        found = self.index.packages(unpacked.name)
        if not unpacked.version:
            return next(
                (one for one in found if _is_built_with_another(one) and self._has(one, unpacked)), None
            )
        version = _LATER_BUILD.sub(b"", unpacked.version)
        return next((one for one in found if _LATER_BUILD.sub(b"", one.version) == version), None)

    def wants_more(self, package: Provider) -> bool:
        """Tell whether the program cannot do by its libraries alone: plugins, data, commands."""
        more = functools.partial(_is_more_than_library, self.index)
        return _is_built_with_another(package) or any(map(more, groups(package.depends)))

    def _has(self, package: Provider, unpacked: UnpackedPackage) -> bool:
        """Tell whether a package has the very program: where nothing else tells the version.

        It is fetched for that, as the environment with it would anyway.
        """
        bring_decoder(self.session)
        supply = supply_of(self.session, self.policy)
        with made_store(self.session) as store, store.working() as work:
            tree = installation.unpacked(store, work, pin_of(package, self.index.snapshots), supply)
            return same_content(store.place_of(tree) + unpacked.program, self.program)


def _is_built_with_another(package: Provider) -> bool:
    relations = (relation for group in groups(package.depends) for relation in group)
    return any(one.operator == "=" and one.version == package.version for one in relations)


def _is_more_than_library(index: Index, alternatives: Sequence[Relation]) -> bool:
    """Tell whether the first of some packages that exists is neither a library nor in any system."""
    held = (found for one in alternatives for found in index.packages(one.name)[:1])
    first = next(held, None)
    if first is None:
        return False  # a virtual package
    section = first.section.rpartition(b"/")[2]
    return section not in _LIBRARY_SECTIONS and first.priority not in _PRIORITIES_OF_ANY_SYSTEM
