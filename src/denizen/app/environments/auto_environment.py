"""Environments that `run` makes by itself (the strategy fhs): creation, the entering command, removal."""

from __future__ import annotations

import os

from denizen.app.command_package import command_package
from denizen.errors import EXIT_CANNOT_START, HostLacks, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.entry_command import Inside
    from denizen.index.locate import Index
    from denizen.launch.fhs_rules import EnvironmentNeeds
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store


class NobodyHas(HostLacks):
    """The error that no package has a path that a program needs."""

    exit_status = EXIT_CANNOT_START
    path: bytes
    reasons: tuple[str, ...]
    WHAT = "no package has {path}"

    @property
    def why(self) -> str:
        return "\n".join(self.reasons)

    @property
    def remedy(self) -> str:
        return f"denizen find {shell_word(os.path.basename(self.path))}; denizen fhs create NAME PACKAGE…"


def enter_auto_environment(session: Session, wants: EnvironmentNeeds, wanted: RunRequest) -> Inside:
    """Create the environment for `wants` unless it exists; return what a command that enters it needs.

    The environment's name is a hash of its packages and suites, so that programs with the same needs share
    one.

    Raises:
        NobodyHas: no package has one of the wanted paths. Also the errors of creating environments.
    """
    from denizen.app.environments import fhs_create
    from denizen.app.environments.fhs_enter import inside_of
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.fhs.generations import AUTO_PREFIX, Settings
    from denizen.sha256 import hex_digest_of
    from denizen.sources.fetch_policy import FetchPolicy

    policy = FetchPolicy(offline=wanted.offline)
    suites = wanted.suites or wants.suites
    packages = packages_for(session, wants, wanted)
    settings = Settings(packages=packages, suites=suites, architectures=(own_architecture(),))
    name = AUTO_PREFIX + hex_digest_of("\0".join((*packages, "", *suites)).encode())[:12]
    session.reporter.say(f"it wants a /usr of its own with {', '.join(packages) or 'the base set'}")
    return inside_of(session, name, fhs_create.create(session, name, settings, policy))


def packages_for(session: Session, wants: EnvironmentNeeds, wanted: RunRequest) -> tuple[str, ...]:
    """Return the packages of an environment for `wants`, besides the base set. Raises NobodyHas."""
    from denizen.sources.fetch_policy import FetchPolicy

    policy, suites = FetchPolicy(offline=wanted.offline), wanted.suites or wants.suites
    found = {path: _package_of(session, path, suites, policy) for path in wants.paths}
    for path, package in found.items():
        if not package:
            raise NobodyHas(path, wants.reasons)
    return tuple(sorted({*wants.packages, *found.values()}))


def drop_unused(session: Session, store: Store) -> int:
    """Remove automatic environments that no kept decision names any more; return their number."""
    from denizen.fhs.generations import AUTO_PREFIX, EnvironmentStore
    from denizen.launch.decisions.decision_store import decision_stores

    place = session.paths
    needed = {path for decision_store in decision_stores(place.decisions) for path in decision_store.needed()}
    environments = EnvironmentStore(place.state)
    dropped = 0
    for name in environments.names():
        if name.startswith(AUTO_PREFIX) and store.place_of(environments.current(name).tree) not in needed:
            environments.remove(name, store.layout)
            dropped += 1
    return dropped


def _package_of(session: Session, path: bytes, suites: tuple[str, ...], policy: FetchPolicy) -> str:
    """Return the name of the package that holds the file `path`; "" for none.

    It is looked up in the index of `suites`, or of the base suite.
    """
    from denizen.app.supply.base_suite import made_base_index
    from denizen.sources.base import Scope

    with made_base_index(session, suites, Scope.PATHS, policy) as index:
        return _holder(index, path)


def _holder(index: Index, path: bytes) -> str:
    command = command_package(index, os.path.basename(path))
    if path.startswith((b"/bin/", b"/usr/bin/")) and command:
        return command
    # A package may list /bin/x or /usr/bin/x: Debian merged /bin into /usr/bin.
    for spelling in (path, b"/usr" + path if not path.startswith(b"/usr/") else path[len(b"/usr") :]):
        found = index.paths(spelling, glob=False)
        if found:
            return found[0].package.decode("utf-8", "replace")
    return ""
