"""The mounts of one program's namespace, and the test whether the kernel permits them."""

from __future__ import annotations

import contextlib

from denizen.errors import HostLacks, display
from denizen.host import machine_name
from denizen.launch.host_view import loader_at
from denizen.launch.loader.binaries import LoaderAbsent
from denizen.launch.resources.gathered_resources import gathered
from denizen.launch.strategies.child_interpreters import beside, is_musl, usual
from denizen.launch.strategies.namespace_plan import (
    InterpreterMount,
    bind_resources,
    mount_point_for,
    operations,
)
from denizen.launch.strategies.shown_resources import ldconfig_instead, shown_resources
from denizen.linker.built_in_rules import unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles
    from denizen.launch.strategies.namespace_plan import LoaderMountPoint

# Entries of a directory that is mirrored only for programs that the program may start.
_MAX_MIRRORED = 1000
# The same where nothing says that it starts such programs: a Python with a dynamic linker of its own, on a
# root with nothing else, starts whatever its packages have.
_MAX_FOR_CHILDREN = 32


class NamespaceMounts:
    """A namespace with the loader at the interpreter paths of the program and its children."""

    def __init__(self, program: Program, files: LoaderFiles) -> None:
        self._program = program
        self._view = program.view
        self._files = files
        self._refusal: str | None = None

    def obstacle(self) -> str:
        """Return the reason against the namespace, "" for none; the kernel is probed once."""
        interpreter, image = self._program.interpreter, self._program.image
        if not interpreter.startswith(b"/"):
            # The kernel resolves it from the working directory of each start.
            return f"its dynamic linker is named by a relative path, {display(interpreter)}"
        fault = unusable(self._view, interpreter, image.header) if image is not None else ""
        if fault:
            return f"the file at {display(interpreter)} {fault}, and other programs use it"
        if self._refusal is None:
            self._refusal = self._tried()
        return self._refusal

    def steps(self, base: Decision) -> tuple[bytes, ...]:
        """Return the operations of `denizen-enter`: the loader's mounts, then files that the host lacks.

        The decision `base` lists the trees of packages, whose files at fixed paths appear at those paths,
        and the libraries beside the program, which may name commands.
        """
        steps = self._loaders(base.ldso)
        found = shown_resources(self._program, self._files, base)
        listing = ldconfig_instead(self._program, self._files, base)
        shown = gathered(self._view, found, self._files.resource_tree())
        return (*steps, *bind_resources(self._view, shown, steps, self._files.stage()), *listing)

    def _tried(self) -> str:
        from denizen.launch.namespace_probe import obstacle

        try:
            return obstacle(self._files.enter(), self._loaders())
        except (HostLacks, OSError) as problem:
            return str(problem)

    def _loaders(self, ldso: bytes = b"") -> tuple[bytes, ...]:
        """Return the mounts of the loader; `ldso` is the dynamic linker that the program gets."""
        own = mount_point_for(self._view, self._program.interpreter)
        services = {own.path: self._service(own, self._files.machine, ldso)}
        mirrored = set() if own.ldso else {own.ancestor}
        machine = machine_name()
        wanted = beside(self._view, self._program.path, machine)
        for interpreter, made in (*wanted, *usual(machine)):
            mount_point = mount_point_for(self._view, interpreter)
            if mount_point.path in services:
                continue
            if mount_point.ancestor in mirrored or self._is_easy(
                mount_point, interpreter, (interpreter, made) in wanted
            ):
                mirrored.add(mount_point.ancestor)
                with contextlib.suppress(LoaderAbsent):
                    services[mount_point.path] = self._service(mount_point, made, ldso)
        return operations(tuple(services.values()), self._files.stage())

    def _is_easy(self, mount_point: LoaderMountPoint, interpreter: bytes, is_wanted: bool) -> bool:  # noqa: FBT001  # of one row
        """Tell whether another interpreter can be served; a mirror costs each start 10 us for an entry."""
        if mount_point.ldso:
            return not is_musl(interpreter) and loader_at(self._view, mount_point.path) is None
        try:
            most = _MAX_MIRRORED if is_wanted else _MAX_FOR_CHILDREN
            return len(self._view.listdir(mount_point.ancestor)) <= most
        except OSError:
            return False

    def _service(self, mount_point: LoaderMountPoint, machine: str, ldso: bytes) -> InterpreterMount:
        hidden = self._files.hidden(mount_point.path)
        covered = hidden if mount_point.ldso else b""
        own = ldso if machine == self._files.machine and not covered else b""
        return InterpreterMount(mount_point, self._files.bound_loader(machine, covered, own), hidden)
