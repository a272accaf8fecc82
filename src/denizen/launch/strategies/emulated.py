"""The strategy for programs of another architecture: qemu-user runs them, with a sysroot of links.

    qemu-aarch64 -L SYSROOT -- PROGRAM ARGUMENT…

    SYSROOT/lib/ld-linux-aarch64.so.1             the dynamic linker, where the program names it
    SYSROOT/lib/aarch64-linux-gnu/libc.so.6       every chosen library, in the first default directory
    SYSROOT/usr/lib/aarch64-linux-gnu/gconv       what packages have at fixed paths and the host has not

qemu looks for each absolute path that the program opens below the sysroot first (qemu util/path.c), so ld.so
finds the libraries by its own rules: run paths and LD_LIBRARY_PATH come first, and what is opened by name is
found for every object. Nothing in the environment or in the program's words tells of it, and argv[0] and
/proc/self/exe are the program's own (qemu linux-user/syscall.c).

A directory of the host that the sysroot has too is listed as the sysroot has it: /etc is in it only where a
file of the host's there would mislead ld.so.
"""

from __future__ import annotations

import posixpath

from denizen.launch.dlopen_record import Opened
from denizen.launch.resources.fixed_paths import FixedPathResource
from denizen.launch.resources.resource_tree import make_resource_tree, whole_systems
from denizen.launch.resources.system_paths import system_resources
from denizen.launch.strategies.base import StrategyName
from denizen.launch.strategies.emulated_children import steps_before
from denizen.launch.strategies.shown_resources import shown_files
from denizen.launch.sysroot import library_directories, mark_sysroot, show_in_sysroot
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart

# Read by ld.so beside libraries; an empty file is as good as none.
_CACHE, _PRELOAD = b"/etc/ld.so.cache", b"/etc/ld.so.preload"
_EMPTY = b"/dev/null"
# musl ldso/dynlink.c: the first of its default directories, whatever the architecture.
_MUSL_DIRECTORY = b"/lib"


class EmulatedStrategy:
    """Execute the emulator, which maps the program and its dynamic linker."""

    name = StrategyName.EMULATED
    title = "qemu runs it, with its own machine's libraries"

    def obstacle(self, start: ProgramStart) -> str:
        """Return why no emulator is needed."""
        return "" if start.findings.is_foreign else "it is built for this machine, or nothing emulates it"

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:  # noqa: ARG002  # the protocol's
        """Return the decision with the emulator as its command, and with the sysroot made."""
        qemu = start.supplier.emulator(base)
        image = start.program.image
        machine = image.header.architecture if image is not None else None
        assert machine is not None  # what is emulated has a row
        is_static = image is None or image.interpreter is None
        view, interpreter = start.program.view, start.program.interpreter
        own = () if is_static else sysroot_of(view, base, interpreter, machine.triplet)
        around = (one for tree in whole_systems(base.objects) for one in system_resources(view, tree))
        links = (*own, *shown_files(start.program, start.files, base), *around)
        opened = b"" if is_static else base.opened
        top = make_resource_tree(start.decision_store.resource_tree(base.identity), links)
        if opened:
            mark_sysroot(top, opened, start.program.path, _default_directory(base, machine.triplet))
            show_in_sysroot(top, Opened(opened).links())
        return replace(
            base,
            host=False,
            # For the loader, which is not there.
            edits=(),
            opened=opened,
            command=(
                *steps_before(start, base, answers=bool(opened)),
                qemu,
                *((b"-L", top) if top else ()),
                b"--",
            ),
            resources=top,
            objects=tuple(dict.fromkeys((*base.objects, qemu))),
        )


def _default_directory(base: Decision, triplet: bytes) -> bytes:
    """Return the first directory in which the program's dynamic linker searches by itself."""
    return _MUSL_DIRECTORY if base.by_name else posixpath.join(b"/lib", triplet)


def sysroot_of(
    view: FileView, base: Decision, interpreter: bytes, triplet: bytes
) -> tuple[FixedPathResource, ...]:
    """Return the libraries to appear below the sysroot of a program whose libraries `base` has.

    `interpreter` is the path by which it names its dynamic linker, `triplet` the name of its architecture's
    library directory.
    """
    named = {one.name: one.path for one in base.libraries if b"/" not in one.name}
    names = view.listdir(base.search) if base.search else ()
    linked = {name: view.realpath(posixpath.join(base.search, name)) for name in names}
    places = {
        posixpath.join(directory, name): path
        for directory in library_directories(_default_directory(base, triplet))
        for name, path in {**named, **linked}.items()
    }
    files = {**places, interpreter: base.ldso, **dict.fromkeys(_misleading(view, triplet), _EMPTY)}
    return tuple(FixedPathResource(*each, directory=False) for each in files.items())


def _misleading(view: FileView, triplet: bytes) -> Iterator[bytes]:
    """Yield the host's files by which an emulated ld.so would take libraries that are not the decision's."""
    for path, telling in ((_CACHE, triplet), (_PRELOAD, b"/")):
        try:
            if telling in bytes(view.read(path)):
                yield path
        except OSError:
            continue
