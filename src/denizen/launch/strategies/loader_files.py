"""denizen's compiled files (loader, `denizen-enter`, libraries), configured for the start of one program."""

from __future__ import annotations

import os

from denizen.disk import link_atomically, make_directories
from denizen.fhs.host_etc import HOST
from denizen.host import machine_name
from denizen.launch.command_links import COMMANDS, commands_of
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_store import RESOURCE_TREES
from denizen.launch.decisions.decision_variants import beginning_for
from denizen.launch.decisions.program_identity import identity_name, identity_of
from denizen.launch.decisions.public_copies import directories_for
from denizen.launch.fast_path import LOADER_LINK
from denizen.launch.loader.binaries import LoaderAbsent
from denizen.launch.loader.configured_tools import Tools
from denizen.launch.loader.ldconfig import ListingSettings, kind_printed
from denizen.launch.loader.loader_settings import HOST_PREFIXES, LoaderSettings
from denizen.launch.resources.command_paths import is_command_path
from denizen.launch.resources.passwd_files import Owner
from denizen.machines import other_loader
from denizen.resolve.rule_packs import load_rules
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program

_EM_386 = 3


class ChildDecisions(Value):
    """The decisions about the program's children.

    Attributes:
        command: the words of the command that decides.
        directory: the directory of those decisions.
        has_command: tells whether a package has a command of this name, None if no index can tell; None: no
            command is provided.
        sees_command: tells whether programs that look for a command along PATH are to see it; None: none is.
        named: returns the paths of the commands that a static program sees because arguments named them.
        hermetic: the directory of decisions about children that the loader maps and that take no library of
            the host; b"" if it is not known.
        has_room: commands can be provided: in an environment, or where the host's /usr/bin has few of them.
        locked: a lock says what comes, and no command does.
        layered: denizen's own directories, in which that command writes.
    """

    command: tuple[bytes, ...]
    directory: bytes
    has_command: Callable[[bytes], bool | None] | None = None
    sees_command: Callable[[bytes], bool] | None = None
    named: Callable[[], tuple[bytes, ...]] | None = None
    hermetic: bytes = b""
    has_room: bool = False
    locked: bool = False
    layered: tuple[bytes, ...] = ()


class LoaderFiles(Value):
    """denizen's compiled files for one program; every method raises LoaderAbsent, DiskFailed.

    Attributes:
        program: the program.
        directory: the directory of the program's decision.
        state: the directory below which the files are kept.
        children: the decisions about the program's children.
    """

    program: Program
    directory: bytes
    state: bytes
    children: ChildDecisions

    @property
    def machine(self) -> str:
        """The loader's machine (as `uname -m` has it), by the program's word size."""
        image = self.program.image
        machine = machine_name()
        small = image is not None and image.header.machine == _EM_386
        return "i386" if machine == "x86_64" and small else machine

    def in_environment(self) -> LoaderFiles:
        """Return the files for a program in an environment, where the host's /usr is elsewhere.

        What decides about children needs the host's own Python, so it enters the host's /usr and /etc again.
        It would take the host's libraries for those of the environment, and mounts that are possible there:
        children get theirs from packages, and are mapped by the loader.
        """
        enter, children = self.enter(), self.children
        shown = (word for name in (b"/usr", b"/etc") for word in (b"offer", HOST + name, name))
        outside = (enter, b"else", b"2", enter, b"--", b"private", *shown, b"--")
        hermetic = () if b"--hermetic" in children.command else (b"--hermetic",)
        command = (*children.command, *hermetic, b"--strategy", b"direct")
        inside = replace(
            children,
            command=(*outside, *command),
            directory=children.hermetic or children.directory,
            has_room=True,
        )
        return replace(self, children=inside)

    def resource_tree(self) -> bytes:
        """Return the path of the program's tree of links to files for fixed paths; nothing is made."""
        return os.path.join(self.directory, RESOURCE_TREES, identity_name(identity_of(self.program.stat)))

    def enter(self) -> bytes:
        """Return the path of `denizen-enter`."""
        return self._tools(machine_name()).enter()

    def inside(self) -> bytes:
        """Return the path of the library for programs whose file the kernel does not know."""
        return self._tools(machine_name()).inside()

    def hidden(self, linker: bytes) -> bytes:
        """Return the path of the empty file over which the host's dynamic linker at `linker` is bound."""
        return self._tools(machine_name()).hidden(linker)

    def stage(self) -> bytes:
        """Return the path of an empty directory over which a file system can be mounted."""
        return self._tools(machine_name()).stage()

    def plain_loader(self) -> bytes:
        """Return the loader for programs whose file the kernel does not know.

        They are patched copies, and the programs that the loader maps itself.
        """
        other = other_loader(self.machine, machine_name())
        return self._starter(self.machine, self._starter_if_here(other) if other else b"")

    def _starter(self, machine: str, other: bytes = b"") -> bytes:
        tools = self._tools(machine)
        try:
            inside = tools.inside()
        except LoaderAbsent:
            inside = b""
        # The loader is told what to start: host programs too, although their children are executed directly.
        settings = replace(
            self._settings(HOST_PREFIXES, machine),
            inside=inside,
            other_starter=other,
            generation=GENERATION,
            brought=self._commands(),
        )
        return tools.loader(settings)

    def _starter_if_here(self, machine: str) -> bytes:
        try:
            return self._starter(machine)
        except LoaderAbsent:
            return b""

    def attached(self) -> tuple[bytes, bytes]:
        """Return denizen-attach, and the loader that it puts before a program's own dynamic linker."""
        tools = self._tools(self.machine)
        return tools.attach(), tools.loader(replace(self._settings((), self.machine), generation=GENERATION))

    def bound_loader(self, machine: str, host_ldso: bytes, package_ldso: bytes = b"") -> bytes:
        """Return the loader for an interpreter's path in a namespace.

        The host's own dynamic linker is at `host_ldso` there; b"" if it has none. Then `package_ldso` is what
        the interpreter's path is if it is executed itself.
        """
        other = other_loader(machine, machine_name())
        settings = replace(
            self._settings(self._passed_on(), machine),
            exec_library=self._tools(machine).exec_library(),
            starter=self._starter_if_here(machine),
            other_starter=self._starter_if_here(other) if other else b"",
            brought=self._commands(),
            host_ldso=host_ldso,
            package_ldso=package_ldso,
            bound=True,
        )
        return self._tools(machine).loader(settings)

    def stand_in(self, path: bytes) -> bytes:
        """Return the loader for the path of a command that this host lacks."""
        settings = LoaderSettings(
            directories=(self.children.directory,),
            command=self.children.command,
            commands=os.path.join(self.children.directory, COMMANDS),
            layered=self.children.layered,
        )
        return self._tools(machine_name()).stand_in(settings, os.path.basename(path))

    def command_places(self) -> tuple[bytes, ...]:
        """Return what `denizen-enter` makes the places of commands with while a program runs; () for none.

        That is the directory of links to commands, a loader in the place of one, and a directory over which a
        mirror can be made.
        """
        links = self._commands()
        return (links, self.stand_in(b"/bin/sh"), self.stage()) if links else ()

    def ldconfig(self, base: Decision, real: bytes = b"") -> bytes:
        """Return denizen-ldconfig for a program by the decision `base`, which names a directory of links.

        It is written into that directory. `real` is where the host's own ldconfig is in the namespace.
        """
        image, rules = self.program.image, load_rules()
        kept_out = (name for rule in (*rules.host, *rules.kept_out) for name in rule.sonames)
        settings = ListingSettings(
            directories=(base.opened, base.search),
            kind=kind_printed(image.header) if image is not None else b"libc6",
            kept_out=tuple(kept_out),
            real=real,
        )
        return self._tools(machine_name()).ldconfig(settings, base.opened)

    def certificates(self, content: bytes) -> bytes:
        """Return the path of a file with these certificates."""
        return self._tools(machine_name()).certificates(content)

    def text(self, content: bytes) -> bytes:
        """Return the path of a configuration file with this content."""
        return self._tools(machine_name()).text(content)

    def owner(self) -> Owner:
        """Return the user who runs the program."""
        return Owner(os.geteuid(), os.getegid())

    def processors(self) -> int:
        """Return the number of processors of this machine; 0 if it is unknown."""
        return os.cpu_count() or 0

    def brings(self, path: bytes) -> bool:
        """Tell whether a command may be brought for a path at which nothing is."""
        has = self.children.has_command if self.children.has_room else None
        return has is not None and is_command_path(path) and has(os.path.basename(path)) is not False

    def link_loader(self) -> None:
        """Make the link to the plain loader beside the program's decision, for the fast path."""
        make_directories(self.directory, 0o700)
        link_atomically(os.path.join(self.directory, LOADER_LINK), self.plain_loader())

    def _commands(self) -> bytes:
        """Return the directory of links to commands; b"" if none is brought."""
        children = self.children
        if not children.has_room:
            return b""
        if children.locked:
            links = commands_of(self.directory)
            links.lock()
            return links.directory
        return os.path.join(children.directory, COMMANDS) if children.has_command is not None else b""

    def _passed_on(self) -> tuple[bytes, ...]:
        """Return the directories whose programs the loader passes on to the host's own dynamic linker.

        There are none if the program itself lies in one: a virtual environment's python may be a link to the
        host's.
        """
        path = self.program.path
        paths = (path, self.program.view.realpath(path))
        return () if any(one.startswith(HOST_PREFIXES) for one in paths) else HOST_PREFIXES

    def _settings(self, prefixes: tuple[bytes, ...], machine: str) -> LoaderSettings:
        own = directories_for(os.geteuid(), self.directory)
        return LoaderSettings(
            directories=tuple(dict.fromkeys((*own, *directories_for(os.geteuid(), self.children.directory)))),
            command=self.children.command,
            resident=self._tools(machine).resident(),
            host_prefixes=prefixes,
            library_paths=tuple(map(beginning_for, directories_for(os.geteuid(), self.children.directory))),
            layered=self.children.layered,
        )

    def _tools(self, machine: str) -> Tools:
        return Tools(os.path.join(self.state, b"tools"), machine)
