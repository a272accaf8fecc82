"""The strategy fhs: an environment with a whole /usr around the program, and the loader in it."""

from __future__ import annotations

import posixpath

from denizen.launch.decisions.libraries_at_home import at_home
from denizen.launch.strategies.base import StrategyName, fallback_words
from denizen.launch.strategies.namespace_plan import mount_point_for
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fhs.entry_command import Inside
    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.launch.strategies.base import ProgramStart
    from denizen.launch.strategies.loader_files import LoaderFiles

_MAX_LINKER_SCRIPT = 4096


class FhsStrategy:
    """The program is executed in an environment, with all libraries from packages."""

    name = StrategyName.FHS
    title = "a whole /usr composed from packages around it"

    def obstacle(self, start: ProgramStart) -> str:
        """Return the reason why no environment is needed or why the program cannot be in one; "" for none."""
        found = start.findings
        if found.unmappable:
            return found.unmappable
        if not found.usr and not found.asks_fhs:
            return "the program needs nothing that only a whole /usr has"
        if start.program.path.startswith((b"/usr/", b"/etc/")):
            return "it lies in /usr, which an environment replaces"
        return start.mounts.obstacle()

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:
        """Return the decision with the command that enters the environment, which is made if need be."""
        image = start.program.image
        if base.host and image is not None and image.interpreter is not None:
            base = start.supplier.packaged()
            start.decision_store.write(base, movable=False)
        around = start.supplier.environment()
        view = start.program.view
        return replace(
            base,
            command=environment_command(start.program, start.files, around, otherwise),
            objects=(*base.objects, around.tree),
            libraries=at_home(view, base, around.tree, entered=True),
            # In the environment the default directories have libraries for dlopen, too.
            edits=(),
            opened=start.supplier.opened(base, around),
        )


def environment_command(
    program: Program, files: LoaderFiles, inside: Inside, otherwise: tuple[bytes, ...] = ()
) -> tuple[bytes, ...]:
    """Return the command that enters an environment, with the loader over the environment's own linker."""
    from denizen.disk_view import RootedView
    from denizen.fhs.entry_command import command

    enter, *steps, end = command(inside)
    # Links such as /lib64 into /usr are made on entering; the tree has only /usr.
    wanted = program.interpreter
    mount_point = mount_point_for(
        RootedView(inside.tree), b"/usr" + wanted if wanted.startswith(b"/lib") else wanted
    )
    if mount_point.ldso:
        hidden = files.hidden(mount_point.path)
        loader = files.in_environment().bound_loader(files.machine, hidden)
        steps += [b"bind", mount_point.path, hidden, b"bind", loader, mount_point.path]
        steps += _linking_with(RootedView(inside.tree), files, wanted, mount_point.path, hidden)
    # The caller's PATH is its host's, and may lack the directory that the environment is made for.
    steps += [b"search", b"/usr/bin"]
    return (enter, *fallback_words(otherwise), *steps, end)


def _linking_with(
    view: FileView, files: LoaderFiles, named: bytes, linker: bytes, hidden: bytes
) -> tuple[bytes, ...]:
    """Return the steps that let compilers link with the dynamic linker itself, which is at `hidden`.

    libc.so beside it is a script for ld that names the linker as an input. ld refuses denizen's loader there.
    """
    script = posixpath.join(posixpath.dirname(linker), b"libc.so")
    try:
        if view.stat(script).size > _MAX_LINKER_SCRIPT:
            return ()
        content = bytes(view.read(script))
    except OSError:
        return ()  # nothing is compiled here
    if content.startswith(b"\x7fELF") or named not in content:
        return ()
    return (b"bind", files.text(content.replace(named, hidden)), script)
