"""What each strategy needs for one program: what stands against it here, and the command that is it.

A command is what the program's own words are appended to, by `denizen run` and by the loader run as a
program alike: `denizen-enter` with a plan. () means execute the program, or map it by the loader.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import link_atomically, make_directories
from denizen.errors import HostLacks, display
from denizen.host import machine_name
from denizen.launch.decisions.decision import GENERATION
from denizen.launch.decisions.decision_store import COPIES, FURNITURE
from denizen.launch.fast_path import LOADER_LINK
from denizen.launch.loader.binaries import LoaderAbsent
from denizen.launch.loader.settings import LoaderSettings
from denizen.launch.loader.tools import Tools
from denizen.launch.resources.fixed_paths import fixed_path_resources
from denizen.launch.strategies.interpreters import beside, is_musl, usual
from denizen.launch.strategies.namespace_plan import HOST_PREFIXES, Service, furnish, operations, spot_for
from denizen.launch.strategies.table import Situation, Strategy
from denizen.linker.interpreter import unusable
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.elf import Image
    from denizen.fhs.enter import Inside
    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision, DecisionLibrary
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.strategies.namespace_plan import Spot

_SCRIPT = "it is a script"
# Entries of a directory that is mirrored for a child's sake.
_MAX_MIRRORED = 1000


@value
class ProgramStart:
    """What is to be started.

    Attributes:
        program: its absolute path.
        image: the ELF file; None for a script.
        interpreter: the path where its dynamic linker belongs.
    """

    view: FileView
    program: bytes
    image: Image | None
    interpreter: bytes


@value
class ChildDecisions:
    """How the program's children are decided about: the command that does, and where it writes."""

    command: tuple[bytes, ...]
    directory: bytes


class StrategyCommands:
    """The strategies for one program."""

    def __init__(
        self, start: ProgramStart, shelf: DecisionStore, state: bytes, following: ChildDecisions
    ) -> None:
        """`shelf` has its decision, `state` is for tools."""
        self._view = start.view
        self._program = start.program
        self._image = start.image
        self._interpreter = start.interpreter
        self._shelf = shelf
        self._state = state
        self._following = following
        self._namespace_obstacle: str | None = None

    def situation(self, host: Callable[[], str], fhs: Callable[[], str], unmappable: str) -> Situation:
        """What stands against each.

        Args:
            host: against simply executing it.
            fhs: against an environment around it.
            unmappable: why the file cannot be executed where it lies, "" where it can.
        """
        return Situation(
            host=lambda: unmappable or host(),
            fhs=lambda: unmappable or fhs() or self._against_surrounding(),
            loader=lambda: unmappable or self._against_installed(),
            namespace=lambda: unmappable or self.against_namespace(),
            stub=self._against_stub,
            program=lambda: unmappable or self._against_program(),
        )

    def started(self, strategy: Strategy, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:
        """The decision with its command; `otherwise` is executed where the kernel refuses a namespace."""
        if strategy is Strategy.PROGRAM and self._image is not None:
            self._link_loader()
            linker = self._linker(strategy, base)
            return replace(base, command=(), ldso=linker, furniture=self._furniture(base))
        made = replace(
            base, command=self._command(strategy, base, otherwise), ldso=self._linker(strategy, base)
        )
        # What holds in this namespace alone is to be decided again elsewhere.
        return replace(made, generation=0) if strategy is Strategy.LOADER and self._is_bound() else made

    def _linker(self, strategy: Strategy, base: Decision) -> bytes:
        """The decision's dynamic linker; the host's own is elsewhere in a namespace, under the loader."""
        if base.host:
            return base.ldso
        hidden = self._tools(os.uname().machine).hidden(spot_for(self._view, self._interpreter).path)
        if strategy is Strategy.NAMESPACE and base.ldso == self._interpreter:
            return hidden
        outside = strategy is not Strategy.NAMESPACE and not self._is_bound()
        return self._interpreter if outside and base.ldso == hidden else base.ldso

    def _command(self, strategy: Strategy, base: Decision, otherwise: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if strategy is Strategy.HOST:
            return ()
        if strategy is Strategy.PROGRAM:
            return self._carried()
        enter = self._enter()
        if strategy is Strategy.LOADER:
            return (enter, b"--")
        if strategy is Strategy.STUB:
            copied = replace(base, ldso=self._linker(strategy, base))
            return (enter, b"as", self._copy(copied), b"--")
        return (enter, *_fallback(otherwise), *self._furnished(base), b"--")

    def against_namespace(self) -> str:
        """What a namespace with the loader in it met, when tried; tried once."""
        if not self._interpreter.startswith(b"/"):
            # The kernel takes it from the working directory of each start.
            return f"its dynamic linker is named by a relative path, {display(self._interpreter)}"
        fault = unusable(self._view, self._interpreter, self._image.header) if self._image is not None else ""
        if fault:
            return f"what is at {display(self._interpreter)} {fault}, and others use it"
        if self._namespace_obstacle is None:
            from denizen.launch.probe import obstacle

            try:
                self._namespace_obstacle = obstacle(self._enter(), self._namespace())
            except (HostLacks, OSError) as problem:
                self._namespace_obstacle = str(problem)
        return self._namespace_obstacle

    def surrounded(self, inside: Inside, otherwise: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """The command that enters an environment with the loader in it, over the environment's own linker.

        `otherwise` is executed where the kernel refuses that.
        """
        from denizen.disk import RootedView
        from denizen.fhs.enter import command

        enter, *steps, end = command(inside)
        # /lib64 and its like are made on entering: links into /usr, which the tree has.
        wanted = self._interpreter
        spot = spot_for(RootedView(inside.tree), b"/usr" + wanted if wanted.startswith(b"/lib") else wanted)
        if spot.ldso:
            hidden = self._tools(machine_name()).hidden(spot.path)
            loader = self._bound_loader(self._machine(), hidden)
            steps += [b"bind", spot.path, hidden, b"bind", loader, spot.path]
        return (enter, *_fallback(otherwise), *steps, end)

    def at_home(self, library: DecisionLibrary, base: Decision, tree: bytes) -> DecisionLibrary:
        """By its path in an environment that has the same file: some libraries look beside themselves."""
        for package in base.objects:
            inside = library.path.removeprefix(package)
            if inside != library.path and self._is_same(library.path, tree + inside):
                return replace(library, path=inside)
        return library

    def _is_same(self, one: bytes, other: bytes) -> bool:
        try:
            first, second = self._view.stat(one), self._view.stat(other)
        except OSError:
            return False
        return (first.device, first.inode) == (second.device, second.inode)

    def _against_surrounding(self) -> str:
        if self._program.startswith((b"/usr/", b"/etc/")):
            return "it lies in /usr, which an environment replaces"
        return self.against_namespace()

    def _against_installed(self) -> str:
        from denizen.launch.host_view import loader_at

        settings = loader_at(self._view, self._interpreter)
        if settings is None:
            return f"no loader of denizen's is at {display(self._interpreter)}"
        uid = b"%d" % os.geteuid()
        if self._shelf.directory not in [d.replace(b"%u", uid) for d in settings.directories]:
            return f"the loader at {display(self._interpreter)} looks for decisions elsewhere"
        return ""

    def _is_bound(self) -> bool:
        from denizen.launch.host_view import loader_at

        settings = loader_at(self._view, self._interpreter)
        return settings is not None and settings.bound

    def _against_stub(self) -> str:
        from denizen.launch.strategies.entry_stub import CannotStub, plan_stub

        if self._image is None:
            return _SCRIPT
        try:
            plan_stub(self._image, self._plain_loader())
        except CannotStub as problem:
            return problem.reason
        except HostLacks as problem:
            return str(problem)
        return ""

    def _against_program(self) -> str:
        if self._image is None:
            return self.against_carrying()
        if self._image.interpreter is None:
            return "it is static: there is nothing to map for it"
        try:
            self._plain_loader()
        except HostLacks as problem:
            return str(problem)
        return ""

    def against_carrying(self) -> str:
        """What stands against starting a script's interpreter so that what it starts is noticed."""
        from denizen import elf
        from denizen.launch.decisions.program_identity import machine_of
        from denizen.launch.script_launch import obstacle

        try:
            loader = elf.read(self._view.read(self._plain_loader()))
            self._tools(machine_name()).inside()
        except HostLacks as problem:
            return str(problem)
        return obstacle(self._view, self._program, machine_of(loader))

    def _carried(self) -> tuple[bytes, ...]:
        from denizen.launch.script_launch import script_at, words

        script = script_at(self._view, self._program)
        assert script is not None  # against_carrying said so
        return (self._plain_loader(), *words(script))

    def _namespace(self) -> tuple[bytes, ...]:
        own = spot_for(self._view, self._interpreter)
        services = {own.path: self._service(own, self._machine())}
        mirrored = set() if own.ldso else {own.ancestor}
        machine = machine_name()
        wanted = beside(self._view, self._program, machine)
        for interpreter, made in (*wanted, *usual(machine)):
            spot = spot_for(self._view, interpreter)
            if spot.path in services:
                continue
            if spot.ancestor in mirrored or self._is_easy(spot, interpreter, (interpreter, made) in wanted):
                mirrored.add(spot.ancestor)
                with contextlib.suppress(LoaderAbsent):
                    services[spot.path] = self._service(spot, made)
        return operations(tuple(services.values()), self._tools(machine).stage())

    def _is_easy(self, spot: Spot, interpreter: bytes, is_wanted: bool) -> bool:  # noqa: FBT001  # of one row
        """Whether another interpreter can be served; a mirror costs each start 10 us for an entry."""
        from denizen.launch.host_view import loader_at

        if spot.ldso:
            return not is_musl(interpreter) and loader_at(self._view, spot.path) is None
        try:
            return is_wanted and len(self._view.listdir(spot.ancestor)) <= _MAX_MIRRORED
        except OSError:
            return False

    def _service(self, spot: Spot, machine: str) -> Service:
        hidden = self._tools(machine_name()).hidden(spot.path)
        return Service(spot, self._bound_loader(machine, hidden if spot.ldso else b""), hidden)

    def _furnished(self, base: Decision) -> tuple[bytes, ...]:
        """The namespace, with what the decision's packages have at fixed paths and the host has not."""
        steps = self._namespace()
        found = fixed_path_resources(self._view, base.objects)
        return (*steps, *furnish(self._view, found, steps, self._tools(machine_name()).stage()))

    def _copy(self, base: Decision) -> bytes:
        """The patched copy, decided about."""
        from denizen import elf
        from denizen.launch.decisions.decision import file_name, identity_of
        from denizen.launch.decisions.program_identity import headers_of
        from denizen.launch.strategies.entry_stub import plan_stub
        from denizen.launch.strategies.patched_copy import make_copy

        assert self._image is not None  # _against_stub said so
        plan = plan_stub(self._image, self._plain_loader())
        top = os.path.join(self._shelf.directory, COPIES, file_name(base.identity))
        make_directories(os.path.dirname(top), 0o700)
        copy = make_copy(self._program, top, plan.patches)
        patched = replace(
            base,
            identity=identity_of(self._view.stat(copy)),
            headers=headers_of(elf.read(self._view.read(copy))),
            program=copy,
            shown=self._view.realpath(self._program),
            furniture=self._furniture(base),
            command=(),
            edits=(*base.edits, *plan.restores),
        )
        self._shelf.write(patched, movable=False)
        return copy

    def _furniture(self, base: Decision) -> bytes:
        """A tree with what the decision's packages have at fixed paths and the host has not."""
        from denizen.launch.decisions.decision import file_name
        from denizen.launch.resources.resource_tree import make_resource_tree

        top = os.path.join(self._shelf.directory, FURNITURE, file_name(base.identity))
        return make_resource_tree(top, fixed_path_resources(self._view, base.objects))

    def _link_loader(self) -> None:
        make_directories(self._shelf.directory, 0o700)
        link_atomically(os.path.join(self._shelf.directory, LOADER_LINK), self._plain_loader())

    def _enter(self) -> bytes:
        return self._tools(machine_name()).enter()

    def _plain_loader(self) -> bytes:
        """For programs that the kernel knows by another file: copies, and those that it maps itself."""
        machine = self._machine()
        try:
            inside = self._tools(machine).inside()
        except LoaderAbsent:
            inside = b""
        # It is told what to start, so that a program of the host's is no exception; children of it are.
        settings = self._settings(HOST_PREFIXES)
        settings = replace(settings, inside=inside, generation=GENERATION)
        return self._tools(machine).loader(settings)

    def _bound_loader(self, machine: str, host_ldso: bytes) -> bytes:
        """For the interpreter's path in a namespace; the host's own linker is at `host_ldso` there."""
        settings = replace(self._settings(self._passed_on()), host_ldso=host_ldso, bound=True)
        return self._tools(machine).loader(settings)

    def _machine(self) -> str:
        small = self._image is not None and self._image.header.bits == 32
        machine = machine_name()
        return "i386" if machine == "x86_64" and small else machine

    def _passed_on(self) -> tuple[bytes, ...]:
        """Whose programs the loader at the interpreter's path passes on: not where one is decided about.

        A virtual environment's python may be a link to the host's.
        """
        paths = (self._program, self._view.realpath(self._program))
        return () if any(path.startswith(HOST_PREFIXES) for path in paths) else HOST_PREFIXES

    def _settings(self, prefixes: tuple[bytes, ...]) -> LoaderSettings:
        return LoaderSettings(
            directories=tuple(dict.fromkeys((self._shelf.directory, self._following.directory))),
            command=self._following.command,
            resident=self._tools(self._machine()).resident(),
            host_prefixes=prefixes,
        )

    def _tools(self, machine: str) -> Tools:
        return Tools(os.path.join(self._state, b"tools"), machine)


def _fallback(otherwise: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (b"else", b"%d" % len(otherwise), *otherwise) if otherwise else ()
