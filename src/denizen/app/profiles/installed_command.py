"""The decision how a command of a profile starts: made when it is installed, and again where it was lost.

The command is `bin/NAME` of an object of commands (profiles/builtin_commands.py). Its decision is found by
the object's hash and NAME, not by the identity of the program's file: an object never changes, while each
link to a file of it (an environment, `store optimise`) changes the file's ctime.
"""

from __future__ import annotations

import os

from denizen.app.profiles.decided_command import command_key
from denizen.errors import EXIT_NOT_FOUND, BadInput, HostLacks
from denizen.profiles.builtin_commands import BIN, ELEMENT, PROGRAMS
from denizen.profiles.package_plan import read_recipe
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.entry_command import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.profiles.command_recipe import CommandRecipe
    from denizen.resolve.resolution import Pin

_MAX_ELEMENT = 16 << 20


class NotAnInstalledCommand(BadInput):
    """The error that a path is not that of a command of a profile."""

    path: bytes
    problem: str
    WHAT = "{path} is not a command of a profile"
    WHY = "{problem:text}"


class CommandLacking(HostLacks):
    """The error that an environment made for a command does not have it."""

    exit_status = EXIT_NOT_FOUND
    name: bytes
    WHAT = "the packages have no command {name} together"
    REMEDY = "denizen upgrade; or denizen remove the package"


def decide_installed(session: Session, command: bytes, wanted: RunRequest) -> Decision:
    """Make and keep the decision about the command at a path of an object of commands.

    Raises:
        NotAnInstalledCommand: the path is no such command's.
        CommandLacking: the environment does not have it. And the errors of environments and decisions.
    """
    from denizen.app.environments.fhs_decision import machine_of_scripts
    from denizen.app.supply.store_access import made_store
    from denizen.launch.decisions.decision_store import variant

    place, name = os.path.dirname(os.path.dirname(command)), os.path.basename(command)
    recipe = _recipe_at(place, command)
    program = _program_of(place, name, command)
    wanted = replace(wanted, suites=recipe.suites, installed=True)
    decision_store = variant(session.paths.decisions, wanted.variant)
    found = _decided(session, _Command(name, program, recipe), wanted, decision_store)
    if not found.machine:
        # That about a script has none, as the kernel starts it; here the loader reads it.
        found = replace(found, machine=machine_of_scripts())
    with made_store(session) as store:
        decision_store.write_named(store.layout, command_key(command), found)
    return found


class _Command(Value):
    name: bytes
    program: bytes
    recipe: CommandRecipe


def _decided(
    session: Session, command: _Command, wanted: RunRequest, decision_store: DecisionStore
) -> Decision:
    from denizen.app.decisions.decision_maker import decide
    from denizen.app.session import tools_of
    from denizen.app.start_request import for_program
    from denizen.launch.namespace_probe import environment_obstacle

    name = command.name.decode("utf-8", "surrogateescape")
    if name in command.recipe.inside and not environment_obstacle(tools_of(session).enter()):
        return _inside(session, command, wanted, decision_store)
    return decide(session, command.program, for_program(wanted, command.program)).decision


def _inside(
    session: Session, command: _Command, wanted: RunRequest, decision_store: DecisionStore
) -> Decision:
    """Return the decision that the command starts in the environment of its packages."""
    from denizen.app.environments.fhs_decision import InsideProgram, decision_inside

    around = environment_of(session, command.recipe.environment, wanted)
    place, name = command_in(around.tree, command.name, command.program)
    found = decision_inside(session, wanted, decision_store, InsideProgram(around, place, name))
    # The loader compares the headers of the program that the command names, which a dangling link has not.
    found = replace(found, program=command.program)
    return found if os.path.exists(command.program) else replace(found, headers=bytes(16))


def command_in(tree: bytes, command: bytes, program: bytes) -> tuple[bytes, bytes]:
    """Return the path of a command in an environment's tree, links followed, and the one to execute it by.

    `program` is the path of its file in the package's own object. Raises CommandLacking.
    """
    from denizen.app.command_package import COMMAND_PATH
    from denizen.disk_view import EnvironmentView
    from denizen.fhs.entry_command import located

    name = located(tree, command, COMMAND_PATH)
    if name == command:
        # Under another name there: an alternative of this package that another one won.
        name = program[program.index(b"/usr/") :] if b"/usr/" in program else name
    try:
        return EnvironmentView(tree).realpath(name), name
    except OSError as problem:
        raise CommandLacking(command) from problem


def environment_of(session: Session, pins: Sequence[Pin], wanted: RunRequest) -> Inside:
    """Return the environment with exactly these packages, made if there is none."""
    from denizen.app.environments import fhs_create
    from denizen.app.environments.fhs_enter import inside_of
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.fhs.generations import AUTO_PREFIX, EnvironmentStore, NoEnvironment, Settings
    from denizen.sha256 import hex_digest_of
    from denizen.sources.fetch_policy import FetchPolicy

    digest = hex_digest_of(b"\0".join(sorted(pin.sha256 for pin in pins)))
    name = f"{AUTO_PREFIX}{digest[:24]}"
    decision_store = EnvironmentStore(session.paths.state)
    try:
        known = inside_of(session, name, decision_store.current(name))
        if os.path.isdir(known.tree):
            return known
    except NoEnvironment:
        pass
    settings = Settings((), wanted.suites, (own_architecture(),))
    policy = FetchPolicy(offline=wanted.offline)
    made, _ = fhs_create.create_from(session, name, settings, policy, tuple(pins))
    return inside_of(session, name, made)


def _recipe_at(place: bytes, command: bytes) -> CommandRecipe:
    path = os.path.join(place, ELEMENT)
    if os.path.basename(os.path.dirname(command)) != BIN:
        raise NotAnInstalledCommand(command, "it is not in bin")
    try:
        with open(path, "rb") as stream:
            return read_recipe(stream.read(_MAX_ELEMENT), command)
    except OSError as problem:
        raise NotAnInstalledCommand(command, problem.strerror or str(problem)) from problem


def _program_of(place: bytes, name: bytes, command: bytes) -> bytes:
    """Return the path of a command's program; its last link is not followed."""
    directory = os.path.join(place, PROGRAMS)
    try:
        return os.path.normpath(os.path.join(directory, os.readlink(os.path.join(directory, name))))
    except OSError as problem:
        raise NotAnInstalledCommand(command, problem.strerror or str(problem)) from problem
