"""Commands of packages in a target: links to programs that start there, and launchers of the others.

    bin/NAME             -> ../../<hash>-package/usr/bin/NAME   the target has all that the program needs
    bin/NAME             -> ../commands/NAME/NAME               packages have it
    commands/NAME/NAME      a bundle's launcher (docs/decisions/0012)
    commands/NAME/bundle/   decisions with paths of the target, and denizen's parts for what it starts
    share/…                 desktop entries, rewritten as for this machine's own profile

Nothing of the target is executed: what its libraries suffice for is asked of the linker's model. A command
that needs more than libraries (profiles/environment_need.py) is started in an environment.
"""

from __future__ import annotations

import os

from denizen.app.bundles.errors import NoClosure
from denizen.app.errors import Unsatisfied
from denizen.app.system.target_check import TargetLacks, lacking_for
from denizen.app.system.target_decisions import TargetDecider
from denizen.disk import OPEN_NEW, make_directories
from denizen.disk_view import RootedView
from denizen.errors import DenizenError, display
from denizen.host import machine_name
from denizen.launch.bundle_launcher import launcher_beside
from denizen.launch.bundle_layout import ANY_DECISION, DECISION, DIRECTORY, INSIDE, LOADER, RESIDENT
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.loader.binaries import inside_binary, loader_binary, optional_resident
from denizen.profiles.builtin_commands import BIN, program_link
from denizen.profiles.commands_builder import write_texts
from denizen.store.errors import doing
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.app.profiles.install_request import ExposedProgram, Preparation, PreparedElement
    from denizen.app.system.system_access import SystemAccess
    from denizen.app.system.target_decisions import LauncherDecisions
    from denizen.formats.storepath import StorePath
    from denizen.profiles.builtin_commands import InstalledProgram

_COMMANDS = b"commands"


def prepared_for_target(
    access: SystemAccess, at: Preparation, words: Sequence[str], declared: Sequence[str]
) -> tuple[tuple[PreparedElement, ...], tuple[str, ...]]:
    """Return the elements of a target, and a sentence for each of their commands that will not start there.

    `declared` are the files of /etc that the system will have. Raises as an installation.
    """
    from denizen.app.profiles.install_packages import prepared_elements

    commands = TargetCommands(at, access.target.root.place, [os.fsencode(one) for one in declared])
    at = replace(at, exposing=commands.expose)
    prepared = [_settled(at, commands, one) for one in prepared_elements(at, words)]
    failed = {name: why for one in prepared for name, why in commands.failures_of(one.commands).items()}
    return tuple(prepared), tuple(
        f"{display(name)} will not start in the target: {problem}" for name, problem in failed.items()
    )


def _settled(at: Preparation, commands: TargetCommands, one: PreparedElement) -> PreparedElement:
    """Return an element; commands whose libraries cannot be had get an environment."""
    from denizen.app.profiles.debian_element import planned_package, with_environment

    failed = commands.failures_of(one.commands)
    lacking = [name for name, problem in failed.items() if isinstance(problem, Unsatisfied)]
    plan = with_environment(at, one.plan, lacking) if lacking and one.plan is not None else None
    return planned_package(at, plan) if plan is not None else one


class TargetCommands:
    """The objects of commands of one target."""

    def __init__(self, at: Preparation, root: bytes, declared: Sequence[bytes]) -> None:
        self._at, self._view = at, RootedView(root)
        self._decider = TargetDecider(at, root, declared)
        self._failures: dict[StorePath, Mapping[bytes, DenizenError]] = {}

    def failures_of(self, commands: StorePath | None) -> Mapping[bytes, DenizenError]:
        """Return the errors of the commands of an object that will not start, by their names."""
        return self._failures.get(commands, {}) if commands is not None else {}

    def expose(self, exposed: ExposedProgram) -> StorePath:
        """Make the object of commands valid, kept while the work lasts; return its path."""
        work, store = self._at.work, self._at.store
        launched, failed = self._decided(exposed)
        tree = work.new_tree()
        with doing("write", tree):
            make_directories(tree + b"/" + BIN)
            for one in exposed.programs:
                _write_command(tree, one, launched.get(one.name))
            write_texts(
                exposed.name,
                exposed.programs,
                exposed.texts,
                tree,
                lambda path: RootedView(store.place_of(path)),
            )
        made = work.add(tree, exposed.name).path
        self._failures[made] = failed
        return made

    def _decided(
        self, exposed: ExposedProgram
    ) -> tuple[dict[bytes, LauncherDecisions], dict[bytes, DenizenError]]:
        """Return the decisions about commands that get a launcher, and the errors of those without one."""
        launched: dict[bytes, LauncherDecisions] = {}
        failed: dict[bytes, DenizenError] = {}
        lacking: dict[StorePath, dict[bytes, tuple[str, ...]]] = {}
        for one in exposed.programs:
            if one.name.decode("utf-8", "surrogateescape") in exposed.recipe.inside:
                try:
                    launched[one.name] = self._decider.inside(one.name, self._place(one), exposed.recipe)
                except DenizenError as problem:
                    failed[one.name] = problem
            elif lacks := tuple(lacking_for(self._view, self._decider.placed(self._place(one)))):
                lacking.setdefault(one.path, {})[one.name] = lacks
        for path, names in lacking.items():
            programs = {one.name: self._place(one) for one in exposed.programs if one.name in names}
            found, unserved = self._packaged(path, programs, exposed.recipe.suites)
            launched |= found
            failed |= {
                name: TargetLacks(names[name]) if isinstance(problem, NoClosure) else problem
                for name, problem in unserved.items()
            }
        return launched, failed

    def _packaged(
        self, path: StorePath, programs: Mapping[bytes, bytes], suites: tuple[str, ...]
    ) -> tuple[dict[bytes, LauncherDecisions], dict[bytes, DenizenError]]:
        """Return the decisions about programs of one object, by the commands' names, and the errors.

        Programs that one choice of packages does not serve together get one of their own.
        """
        launched: dict[bytes, LauncherDecisions] = {}
        failed: dict[bytes, DenizenError] = {}
        left = dict(programs)
        while left:
            try:
                found = self._decider.packaged(tuple(left.values()), self._at.store.place_of(path), suites)
                launched |= {name: found[place] for name, place in left.items() if place in found}
            except DenizenError as problem:
                failed[next(iter(left))] = problem
            left = {name: place for name, place in left.items() if name not in launched | failed}
        return launched, failed

    def _place(self, program: InstalledProgram) -> bytes:
        place = self._at.store.place_of(program.path)
        return place + b"/" + program.inside if program.inside else place


def _write_command(tree: bytes, program: InstalledProgram, decisions: LauncherDecisions | None) -> None:
    link = b"%b/%b/%b" % (tree, BIN, program.name)
    if decisions is None:
        os.symlink(program_link(program), link)
        return
    os.symlink(b"../%b/%b/%b" % (_COMMANDS, program.name, program.name), link)
    directory = b"%b/%b/%b" % (tree, _COMMANDS, program.name)
    beside = directory + b"/" + DIRECTORY
    make_directories(beside)
    launcher = launcher_beside(loader_binary(machine_name()))
    _write(directory + b"/" + program.name, launcher, mode=0o700)
    _write(beside + b"/" + DECISION, encode(decisions.own))
    if decisions.own.command:
        return
    _write(beside + b"/" + LOADER, launcher, mode=0o700)
    _write(beside + b"/" + INSIDE, inside_binary(machine_name()))
    _write(beside + b"/" + RESIDENT, optional_resident(machine_name()))
    if decisions.other is not None:
        _write(beside + b"/" + ANY_DECISION, encode(decisions.other))


def _write(place: bytes, content: bytes, *, mode: int = 0o600) -> None:
    with open(os.open(place, OPEN_NEW, mode), "wb") as stream:
        stream.write(content)  # the store gives it its own mode
