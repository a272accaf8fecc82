"""The decision about one program, from a resolution whose packages are in the store (pure over a FileView).

The linker model runs once more over the files in the store, without the host's libraries, so that the
loader's instructions are verified against the files that it will open.
"""

from __future__ import annotations

import posixpath

from denizen.errors import EXIT_CANNOT_START, BadInput, HostLacks, display
from denizen.launch.decisions.decision import Decision, DecisionLibrary
from denizen.launch.decisions.hermetic_edits import hermetic_edits
from denizen.launch.decisions.ldso_addresses import r_debug_of
from denizen.launch.decisions.load_list import libraries_of
from denizen.launch.decisions.program_identity import headers_of, identity_of, machine_of
from denizen.launch.program import once_read
from denizen.launch.resident_choice import audit_edits, executes, opens
from denizen.linker import Environment, Family, resolve
from denizen.linker.tokens import has_token
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.shipped_libraries import Bundle
from denizen.resolve.sysroot_view import LIBRARIES, ChosenFile, Sysroot
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.launch.program import Program
    from denizen.linker import Closure


class StillMissing(BadInput):
    """The error that the chosen packages do not satisfy the program."""

    program: bytes
    sonames: tuple[bytes, ...]
    WHAT = "{program} still lacks libraries"
    REMEDY = "denizen why tells who needs them; please report it"

    @property
    def why(self) -> str:
        return ", ".join(map(display, self.sonames))


class TokenInPath(HostLacks):
    """The error that a library lies where no dynamic linker can be told to load it from."""

    exit_status = EXIT_CANNOT_START
    path: bytes
    WHAT = "{path} cannot be loaded from where it is"
    WHY = "in a path that a dynamic linker is given it replaces $ORIGIN, $LIB and $PLATFORM (ld.so(8))"
    REMEDY = "move it, or denizen's files (--root DIR), to where no directory is called so"


class InstalledLibraries(Value):
    """The paths of everything that was chosen for a program.

    Attributes:
        directory: of links to the chosen libraries.
        interpreter: the dynamic linker's name in it; the path of the host's own where that is used.
        packages: the trees of the packages, which must stay in the store.
        beside: soname -> path of chosen libraries that came with the program.
        override: sonames to load before all others.
        added: objects elsewhere that the program opens.
        host: this host as the linker sees it, if the libraries extend its own; None if it is not used.
        opened: the directory of libraries that are added at run time, b"" for none.
        is_emulated: an emulator runs the program, and what it misses is answered from outside.
    """

    directory: bytes
    interpreter: bytes
    packages: tuple[bytes, ...]
    beside: Mapping[bytes, bytes]
    override: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()
    host: Environment | None = None
    opened: bytes = b""
    is_emulated: bool = False


def decision_for(start: Program, installed: InstalledLibraries) -> Decision:
    """Return the decision for an ELF program.

    Raises:
        OSError, BadInput: a file cannot be read.
        StillMissing: a library is in none of the search paths.
        TokenInPath: a library's path has a dynamic string token.
    """
    program, image = start.path, start.image
    assert image is not None  # scripts get no packages of their own
    view = CachedView(once_read(start))
    ldso = _linker_of(view, installed)
    closure = _whole_closure(view, start, ldso, installed)
    if closure.missing:
        raise StillMissing(program, tuple(library.soname for library in closure.missing))
    linker = view.image(ldso)
    libraries = tuple(_placed(view, one, installed) for one in libraries_of(closure))
    for path in (library.path for library in libraries if has_token(library.path)):
        raise TokenInPath(path)
    hermetic = () if installed.host is not None else hermetic_edits(linker)
    audited = audit_edits(linker, closure) if installed.opened and opens(closure) else None
    return Decision(
        identity=identity_of(start.stat),
        headers=headers_of(image),
        machine=machine_of(image),
        ldso=ldso,
        build_id=(image.notes.build_id or b"")[:64],
        search=installed.directory,
        program=program,
        libraries=libraries,
        objects=_objects(installed, libraries),
        edits=(*hermetic, *(audited or ())),
        r_debug=r_debug_of(linker),
        by_name=closure.interpreter.family is Family.MUSL,
        # From outside of an emulator all looks are seen, whatever the C library and the program's calls.
        opened=installed.opened if installed.is_emulated or audited is not None else b"",
        executes=executes(closure),
    )


def _whole_closure(view: CachedView, start: Program, ldso: bytes, installed: InstalledLibraries) -> Closure:
    """Return the closure, with what the program opens later and what misses nothing itself."""
    program, image = start.path, start.image
    assert image is not None

    def with_early(*names: bytes) -> Closure:
        return _closure(view, program, ldso, installed, _needed(image, installed, names))

    alone = _closure(view, program, ldso, installed, _needed(image, installed))
    early = _opened_alone(view, program, image, installed)
    if not early:
        return alone
    closure = with_early(*early)
    if len(closure.missing) <= len(alone.missing):
        return closure
    # A library for later must not keep the program from starting: leave out those that miss others.
    whole = [name for name in early if len(with_early(name).missing) == len(alone.missing)]
    return with_early(*whole) if whole else alone


def _linker_of(view: FileView, installed: InstalledLibraries) -> bytes:
    if installed.host is not None:
        return installed.interpreter  # by its usual path, which the strategies compare
    return view.realpath(posixpath.join(installed.directory, installed.interpreter))


def _opened_alone(
    view: CachedView, program: bytes, image: Image, installed: InstalledLibraries
) -> tuple[bytes, ...]:
    """Return the sonames that libraries beside the program need and that they would not find when opened.

    An object with a DT_RUNPATH ignores the program's DT_RPATH (glibc elf/dl-load.c, _dl_map_object), by which
    the loader adds its directory. The libraries that such an object needs are therefore loaded with the
    program.
    """
    there = frozenset(view.listdir(installed.directory))
    names: dict[bytes, None] = {}
    for path in (*Bundle(view, program).paths, *installed.added):
        try:
            found = view.image(path)
            dynamic = found.dynamic
        except (OSError, BadInput):
            continue
        same = (found.header.bits, found.header.machine) == (image.header.bits, image.header.machine)
        if same and dynamic is not None and dynamic.runpath is not None:
            names |= dict.fromkeys(name for name in dynamic.needed if name in there)
    return tuple(names)


def _closure(
    view: CachedView,
    program: bytes,
    ldso: bytes,
    installed: InstalledLibraries,
    needed: tuple[bytes, ...] | None,
) -> Closure:
    pieces = {soname: ChosenFile(view, path) for soname, path in installed.beside.items()}
    host = installed.host
    environment = replace(
        host or Environment(),
        interpreter_path=ldso,
        extra_directories=(LIBRARIES, installed.directory) if pieces else (installed.directory,),
        needed=needed,
        parse=view.parse,
    )
    sysroot = Sysroot(view, pieces, None, frozenset([program]), host=host is not None)
    return resolve(sysroot, program, environment)


def _needed(
    image: Image, installed: InstalledLibraries, early: tuple[bytes, ...] = ()
) -> tuple[bytes, ...] | None:
    if not installed.override and not early:
        return None
    first = tuple(posixpath.join(installed.directory, soname) for soname in installed.override)
    return first + (image.dynamic.needed if image.dynamic else ()) + early


def _placed(view: FileView, library: DecisionLibrary, installed: InstalledLibraries) -> DecisionLibrary:
    """Return the library with the path of its real file, so that `$ORIGIN` and dladdr(3) see its package."""
    name = library.name.rpartition(b"/")[2] if library.name.startswith(installed.directory) else library.name
    parent, _, base = library.path.rpartition(b"/")
    if parent == LIBRARIES:
        # It is not in the search directory: no search by name finds it, so it is pinned to this path.
        return replace(library, path=installed.beside[base], name=name, pinned=True, renamed=False)
    if parent == installed.directory:
        return replace(library, path=view.realpath(library.path), name=name)
    return replace(library, name=name)


def _objects(installed: InstalledLibraries, libraries: Iterable[DecisionLibrary]) -> tuple[bytes, ...]:
    """Return the paths that must exist for the decision.

    They are the trees in the store and each library that came with the program.
    """
    trees = (installed.directory, *installed.packages)
    inside = tuple(tree + b"/" for tree in trees)
    own = tuple(library.path for library in libraries if not library.path.startswith(inside))
    return (*trees, *own)
