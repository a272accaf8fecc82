"""Decisions how commands start in a target, with the paths that files have there.

The linker's model chooses the packages as for a bundle (app/bundles/program_closure.py): nothing of this
machine takes part. The packages lie in the target's store; each path in a decision, which names a store
object, keeps it from the collector for as long as the command is there.
"""

from __future__ import annotations

import os

from denizen.app.bundles.packaged_resources import packaged_resources
from denizen.app.bundles.program_closure import ClosureRequest, packaged_closure
from denizen.app.environments.fhs_create import composed_of
from denizen.app.environments.fhs_decision import machine_of_scripts
from denizen.app.profiles.installed_command import command_in
from denizen.app.supply.own_architecture import own_architecture
from denizen.app.system.target_check import TargetLacks, script_interpreter
from denizen.disk import make_directories
from denizen.disk_view import RootedView
from denizen.errors import BadInput, display
from denizen.fhs.entry_command import Inside, entry_elsewhere
from denizen.fhs.generations import Settings
from denizen.fhs.mounts import entering
from denizen.fhs.registered_formats import interpreter_in
from denizen.fileview import exists
from denizen.host import machine_name
from denizen.launch.bundle_layout import NOBODY, decision_about_any, relocated_decision
from denizen.launch.decisions.decision import Decision
from denizen.launch.loader.binaries import enter_binary
from denizen.launch.resources.resource_tree import make_resource_tree, show_by_links
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from denizen.app.bundles.program_closure import ProgramClosure
    from denizen.app.profiles.install_request import Preparation
    from denizen.formats.storepath import StorePath
    from denizen.profiles.command_recipe import CommandRecipe
    from denizen.resolve.resolution import Pin

_RESOURCES, _ENTER = "denizen-resources", "denizen-enter"
_STAGE, _FILES = b"stage", b"files"


class OutsideOfTarget(BadInput):
    """The error that a link of the target leads out of it, to what would not be found once it has booted."""

    path: bytes
    target: bytes
    WHAT = "{path} is not in {target}"
    WHY = "a link there leads out of it"


class LauncherDecisions(Value):
    """The decisions beside a launcher.

    Attributes:
        own: about the command.
        other: about programs that it starts and nobody knows; None where there can be none.
    """

    own: Decision
    other: Decision | None = None


class TargetDecider:
    """The maker of decisions for one target."""

    def __init__(self, at: Preparation, root: bytes, declared: Collection[bytes]) -> None:
        """`declared` are the names that /etc will have in the target, whose directory is `root`."""
        self._at, self._root, self._declared = at, root, declared
        self._trees: dict[tuple[Pin, ...], StorePath] = {}

    def placed(self, path: bytes) -> bytes:
        """Return the path in the target of a file that is in it. Raises OutsideOfTarget."""
        if not path.startswith(self._root + b"/"):
            raise OutsideOfTarget(path, self._root)
        return path[len(self._root) :]

    def packaged(
        self, programs: Sequence[bytes], tree: bytes, suites: tuple[str, ...]
    ) -> dict[bytes, LauncherDecisions]:
        """Return the decisions about programs of one package, whose directory is `tree`, by their paths.

        All get their libraries from one choice of packages; a program that these do not serve has none.

        Raises as `packaged_closure`.
        """
        offline = self._at.request.offline
        closure = packaged_closure(
            self._at.session, ClosureRequest(programs[0], suites=suites, offline=offline, tree=tree)
        )
        resources = self._resources(closure)
        found = {closure.program.path: closure.decision, **closure.children}

        def made(decision: Decision) -> Decision:
            return relocated_decision(decision, self.placed, resources=resources, resident=True)

        unknown = decision_about_any(closure.decision)
        other = None if unknown is None else made(unknown)
        places = {path: os.path.realpath(path) for path in programs}
        return {
            path: LauncherDecisions(made(found[real]), other)
            for path, real in places.items()
            if real in found
        }

    def inside(self, name: bytes, program: bytes, recipe: CommandRecipe) -> LauncherDecisions:
        """Return the decision that a command starts in an environment of its packages.

        Raises:
            CommandLacking: the packages have no such command.
            TargetLacks: they have not the interpreter of a script.
        """
        tree = self._environment(recipe)
        tools = self._tools()
        around = Inside(self.placed(tree), tools + b"/" + _ENTER.encode(), tools + b"/" + _STAGE)
        place, called = command_in(tree, name, program)
        view = RootedView(tree)
        interpreter = script_interpreter(view, place)
        # A tree has /usr alone; links such as /bin into it are made on entering.
        if interpreter and not any(exists(view, path) for path in (interpreter, b"/usr" + interpreter)):
            raise TargetLacks((display(interpreter),))
        started = interpreter_in(view, place)
        by = (b"as", started, b"given", called) if started else (b"as", called)
        entry = entry_elsewhere(around, tree, RootedView(self._root), self._declared)
        # The caller's PATH may lack the directory, as on this machine (launch/strategies/fhs.py).
        command = (around.enter, *entering(entry), b"search", b"/usr/bin", *by, b"--")
        machine, path = machine_of_scripts(), self.placed(program)
        return LauncherDecisions(
            Decision(NOBODY, bytes(16), machine, around.enter, program=path, command=command)
        )

    def _environment(self, recipe: CommandRecipe) -> bytes:
        """Return the path here of the tree of an environment, which is kept while the work lasts."""
        at, pins = self._at, recipe.environment
        if pins not in self._trees:
            settings = Settings((), recipe.suites, (own_architecture(),))
            self._trees[pins] = composed_of(at.session, settings, at.request.policy, pins)
            at.work.need([self._trees[pins]])
        return at.store.place_of(self._trees[pins])

    def _tools(self) -> bytes:
        """Return the path in the target of the object with denizen-enter and the directory it mounts at."""

        def fill(tree: bytes) -> None:
            make_directories(tree + b"/" + _STAGE)
            program = tree + b"/" + _ENTER.encode()
            with open(program, "wb") as stream:
                stream.write(enter_binary(machine_name()))
            os.chmod(program, 0o700)  # the store gives it its own mode

        return self._added(_ENTER, fill)

    def _resources(self, closure: ProgramClosure) -> bytes:
        """Return the path in the target of the object with files for fixed paths; b"" for none."""
        found = packaged_resources(closure)
        if not found and not closure.files:
            return b""

        def fill(tree: bytes) -> None:
            make_directories(tree)
            top = tree + b"/" + _FILES
            make_resource_tree(top, found)
            for path, source in closure.files.items():
                make_directories(os.path.dirname(top + path))
                show_by_links(top + path, source)
            self._relocate_links(top)

        return self._added(_RESOURCES, fill) + b"/" + _FILES

    def _relocate_links(self, tree: bytes) -> None:
        """Let links that lead to the target's files by paths of this machine lead to them by its own."""
        for directory, names, files in os.walk(tree):
            for path in (os.path.join(directory, name) for name in (*names, *files)):
                text = os.readlink(path) if os.path.islink(path) else b""
                if text.startswith(self._root + b"/"):
                    os.unlink(path)
                    os.symlink(self.placed(text), path)

    def _added(self, name: str, fill: Callable[[bytes], None]) -> bytes:
        tree = self._at.work.new_tree()
        fill(tree)
        return self.placed(self._at.store.place_of(self._at.work.add(tree, name).path))
