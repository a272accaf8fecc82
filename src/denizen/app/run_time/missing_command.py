"""The answer to a program that executes a command which this host lacks.

The loader at the command's path waits for this process to end and follows the link of its name
(launch/command_links.py). The command gets an environment (docs/fhs.md) with its package, because few
commands work alone: a shell starts others, git and perl look for their files in /usr. Where the kernel
refuses namespaces the command is started without one, as any other foreign program.
"""

from __future__ import annotations

import os

from denizen.app.command_package import COMMAND_PATH, command_package, packages_about
from denizen.app.decisions.decision_maker import decision_about
from denizen.app.decisions.surrounded_program import SurroundedPrograms
from denizen.app.environments.auto_environment import enter_auto_environment
from denizen.app.environments.fhs_create import size_to_fetch
from denizen.app.environments.fhs_decision import InsideProgram, decision_inside
from denizen.app.environments.standing_tree import StandingTrees
from denizen.app.recommended_packages import recommended_packages
from denizen.app.run_time.budget import over_budget
from denizen.app.run_time.confirmation import refusal
from denizen.app.session import tools_of
from denizen.app.supply.base_suite import base_index, made_base_index
from denizen.app.supply.own_architecture import own_architecture
from denizen.app.supply.provenance_cache import known_suites
from denizen.app.supply.store_access import made_store
from denizen.disk_view import EnvironmentView
from denizen.errors import EXIT_NOT_FOUND, BadInput, HostLacks, SourceFailed, display, shell_word
from denizen.fhs.entry_command import located
from denizen.fhs.generations import Settings
from denizen.launch.command_links import commands_of, is_command, named_decision
from denizen.launch.command_rules import kept_out_reason
from denizen.launch.decisions.decision_store import variant
from denizen.launch.fhs_rules import EnvironmentNeeds
from denizen.launch.kept_out import NOT_PACKAGED, OTHER_NAME, command_not_brought, command_not_fetched
from denizen.launch.namespace_probe import environment_obstacle
from denizen.sources.base import Scope
from denizen.sources.errors import Offline
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.app.environments.standing_tree import StandingTree
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.entry_command import Inside
    from denizen.index.locate import Index
    from denizen.launch.command_links import CommandLinks
    from denizen.store.local import Store


class NotACommand(BadInput):
    """The error that the path is not one for which a loader asks."""

    path: bytes
    WHAT = "{path} is not the path of a command"


class CommandNotHad(HostLacks):
    """The error that a command is not available."""

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str
    package: str
    WHAT = "there is no command {name}"
    WHY = "{reason:text}"

    @property
    def remedy(self) -> str:
        if self.package:
            return f"denizen run --with {shell_word(self.package)} PROGRAM"
        return f"denizen find {shell_word(self.name)}"


def bring_command(session: Session, path: bytes, wanted: RunRequest) -> None:
    """Provide the command for a path, and make the link that leads to it.

    Raises:
        NotACommand, CommandNotHad: the command is not available, which is recorded.
        OSError: and the errors of creating environments and deciding. Nothing is recorded then.
    """
    name = os.path.basename(path)
    if not is_command(name):
        raise NotACommand(path)
    decision_store = variant(session.paths.decisions, wanted.variant)
    links = commands_of(decision_store.directory)
    denial = links.denied(name)
    if denial is None:
        CommandProvision(session.quieter(), wanted).bring(name)
        denial = links.denied(name)
    if denial is not None:
        raise CommandNotHad(name, denial.reason, denial.package)


class CommandProvision:
    """The provision of one command."""

    def __init__(self, session: Session, wanted: RunRequest) -> None:
        self._session = session
        self._wanted = wanted
        self._decision_store = variant(session.paths.decisions, wanted.variant)
        # The user asked for the command's package by --with; its interpreter comes with it.
        self._is_asked_for = False

    def bring(self, name: bytes) -> None:
        """Provide the command, or record why not."""
        reason = kept_out_reason(name)
        self._links.let_in(name)
        try:
            if reason:
                self._keep_out(name, reason)
            # Environments are made and entered in namespaces.
            elif self._is_without_environments:
                self._bring_alone(name)
            else:
                self._bring_environment(name)
        except Offline:
            self._links.keep_out(name, command_not_fetched(name))
            raise

    @property
    def _is_without_environments(self) -> bool:
        return bool(environment_obstacle(tools_of(self._session).enter()))

    @property
    def _links(self) -> CommandLinks:
        return commands_of(self._decision_store.directory)

    def _keep_out(self, name: bytes, reason: str, package: str = "", settings: bytes = b"") -> None:
        """Record that policy keeps a command out, and what is told if a program fails without it.

        Programs try commands and do without: nothing is told at once. `settings`: see KeptOut.add.
        """
        self._links.deny(name, reason, package)
        self._links.keep_out(name, command_not_brought(name, reason, package), settings)

    def _leave_out(self, name: bytes, reason: str, package: str = "") -> None:
        """Record that the budget, which is one of the user's settings, keeps a command out."""
        self._keep_out(name, reason, package, self._session.paths.config)

    def _bring_alone(self, name: bytes) -> None:
        """Provide the command with a tree of packages that is not entered."""
        with made_store(self._session) as store, store.working():
            around = self._standing(name, store)
            if around is None:
                return
            program = around.program(name)
            programs = SurroundedPrograms(self._session, store, self._wanted, decision_about)
            found = programs.decided(program, around) if program else None
            if found is None:
                reason = "its interpreter is not here, and no package has it"
                self._links.deny(name, reason if program else OTHER_NAME)
                return
            self._decision_store.keep_besides(store.layout, found, (around.object,))
            self._decision_store.write_named(store.layout, named_decision(name), found)
        self._links.show(name, program)

    def _standing(self, name: bytes, store: Store) -> StandingTree | None:
        """Return the tree for a command; None where it is not to be had, which is recorded."""

        def trees() -> StandingTrees:
            return StandingTrees(self._session, store, self._wanted)

        around = None if self._over_budget(trees().size(())) else trees().composed(())
        if around is not None and around.program(name):
            return around
        packages = self._chosen(name, lambda some: trees().size(some))
        return trees().composed(packages) if packages else None

    def _chosen(self, name: bytes, size: Callable[[tuple[str, ...]], int]) -> tuple[str, ...]:
        """Return the packages for a command; () where it is not to be had, which is recorded."""
        packages = self._packages_with(name)
        if not packages:
            self._links.deny(name, NOT_PACKAGED)
            return ()
        needed = size(packages)
        if self._over_budget(needed):
            packages = packages[:1]
            needed = size(packages)
        reason = self._over_budget(needed)
        if reason and self._wanted.ask:
            reason = refusal(b"", name, needed, reason)
        if reason:
            self._leave_out(name, reason, packages[0])
            return ()
        return packages

    def _index(self) -> Index:
        return base_index(self._session, self._wanted.suites)

    def _bring_environment(self, name: bytes) -> None:
        """Provide the command in an environment with its package."""
        packages: tuple[str, ...] = ()
        reason = self._over_budget(self._size(packages))
        around = None if reason else self._environment(packages)
        if around is None or _place_in(around.tree, name) is None:
            packages = self._chosen(name, self._size)
            if not packages:
                return
            around = self._environment(packages)
        place = _place_in(around.tree, name)
        if place is None:
            self._links.deny(name, OTHER_NAME)
            return
        self._decide(name, around, place)
        self._links.show(name, around.tree + place)

    def _environment(self, packages: tuple[str, ...]) -> Inside:
        return enter_auto_environment(self._session, EnvironmentNeeds(packages), self._wanted)

    def _size(self, packages: tuple[str, ...]) -> int:
        """Return the bytes to fetch for an environment with these packages."""
        settings = Settings(packages, self._wanted.suites, (own_architecture(),))
        return size_to_fetch(self._session, settings, self._policy)

    def _packages_with(self, name: bytes) -> tuple[str, ...]:
        """Return the packages for a command, and note their suite and whether the user asked for it.

        What comes with the command is of its own release.
        """
        packages = packages_with(self._session, name, self._wanted)
        if not packages:
            suites, packages = another_suite_with(self._session, name, self._wanted)
            self._wanted = replace(self._wanted, suites=suites)
        self._is_asked_for |= any(one in self._wanted.extra for one in packages[:1])
        return packages

    def _over_budget(self, size: int) -> str:
        """Return the reason against fetching so many bytes; "" for none.

        What the user asks for by --with comes whatever its size.
        """
        if self._is_asked_for:
            return ""
        return over_budget(self._session, size)

    @property
    def _policy(self) -> FetchPolicy:
        return _policy(self._wanted)

    def _decide(self, name: bytes, around: Inside, place: bytes) -> None:
        """Keep the decision that the program starts in an environment, by the command's name too.

        Another environment that has the program's file links to it, which changes the file's times.
        """
        found = decision_inside(
            self._session, self._wanted, self._decision_store, InsideProgram(around, place, place)
        )
        self._decision_store.write(found, movable=False)
        with made_store(self._session) as store:
            self._decision_store.write_named(store.layout, named_decision(name), found)


def packages_with(session: Session, name: bytes, wanted: RunRequest) -> tuple[str, ...]:
    """Return the package that has a command, and what of its source it recommends; () where none has it.

    The command works with those: gpg recommends gnupg, which has the agent. The base suite is asked, or those
    that the user named.
    """
    with made_base_index(session, wanted.suites, Scope.PATHS, _policy(wanted)) as index:
        package = command_package(index, name)
        if not package:
            return ()
        held = index.packages(package.encode())[:1]
        return (package, *[name for one in held for name in recommended_packages(index, one)])


def another_suite_with(
    session: Session, name: bytes, wanted: RunRequest
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the suites to ask for a command that the base suite lacks, and its packages there.

    It is the first configured suite, behind the base suite, with a package about the command that has it;
    where there is none, the suites stay as they are, and the packages are ().

    Releases drop packages (wkhtmltopdf). Where no package is about the command, the suite's contents, which
    are large, are not fetched for it. A suite that cannot be asked is passed over, which is told.
    """
    if wanted.suites or wanted.lock is not None:
        return wanted.suites, ()
    about = [one.encode() for one in packages_about(name)]
    for suite in known_suites(session)[1:]:
        try:
            with made_base_index(session, (suite,), Scope.LIBRARIES, _policy(wanted)) as index:
                is_there = any(map(index.packages, about))
            packages = packages_with(session, name, replace(wanted, suites=(suite,))) if is_there else ()
            if packages:
                return (suite,), packages
        except SourceFailed as problem:
            session.reporter.say(
                f"denizen: {display(suite.encode())} is not asked for {display(name)}: {problem.what}"
            )
    return wanted.suites, ()


def _policy(wanted: RunRequest) -> FetchPolicy:
    return FetchPolicy(offline=wanted.offline)


def _place_in(tree: bytes, name: bytes) -> bytes | None:
    """Return the path of a command's file in a tree; None for none."""
    place = located(tree, name, COMMAND_PATH)
    if place == name:
        return None
    try:
        return EnvironmentView(tree).realpath(place)
    except OSError:
        return None
