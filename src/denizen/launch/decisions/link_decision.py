"""From a furnished resolution to the decision about one program (pure over a FileView).

The linker model runs once more, over the files as they now lie in the store and with nothing of the host,
so that what the loader is told is what was verified to be there.
"""

from __future__ import annotations

import posixpath

from denizen import elf
from denizen.errors import BadInput, display
from denizen.launch.decisions.decision import Decision, DecisionLibrary, identity_of
from denizen.launch.decisions.load_list import libraries_of
from denizen.launch.decisions.program_identity import headers_of, hermetic_edits, machine_of, r_debug_of
from denizen.launch.resident import is_audited, opens
from denizen.linker import Environment, Family, resolve
from denizen.resolve.bundle import Bundle
from denizen.resolve.cache.cached_view import Remembered
from denizen.resolve.sysroot_view import LIBRARIES, Piece, Sysroot
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.linker import Closure


class StillMissing(BadInput):
    """What was chosen does not satisfy the program after all."""

    program: bytes
    sonames: tuple[bytes, ...]
    WHAT = "{program} still lacks libraries"
    REMEDY = "denizen why tells who needs them; please report it"

    @property
    def why(self) -> str:
        return ", ".join(map(display, self.sonames))


@value
class Furnished:
    """Where everything lies now.

    Attributes:
        directory: of links to the chosen libraries.
        interpreter: the dynamic linker's name there; the path of the host's own where that is used.
        packages: the trees of the packages, which must stay.
        beside: soname -> path of chosen libraries that came with the program.
        override: sonames to load before all others.
        added: objects elsewhere that the program opens.
        host: a start on this host, whose libraries these go with; None: nothing of the host is used.
        opened: the directory of what comes while it runs, b"" for none.
    """

    directory: bytes
    interpreter: bytes
    packages: tuple[bytes, ...]
    beside: Mapping[bytes, bytes]
    override: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()
    host: Environment | None = None
    opened: bytes = b""


def decision_for(view: FileView, program: bytes, furnished: Furnished) -> Decision:
    """What the loader must do for the ELF program at `program` (absolute).

    Raises:
        OSError, BadInput: something cannot be read.
        StillMissing: a library is in none of the places.
    """
    image = elf.read(view.read(program))
    ldso = _linker_of(view, furnished)
    closure = _closure(view, program, ldso, furnished, _needed(image, furnished))
    early = _opened_alone(view, program, image, furnished)
    if early:
        alone = closure

        def with_early(names: tuple[bytes, ...]) -> Closure:
            return _closure(view, program, ldso, furnished, _needed(image, furnished, names))

        closure = with_early(early)
        if len(closure.missing) > len(alone.missing):
            # What is opened later must not keep the program from starting: without those that are not whole.
            whole = tuple(name for name in early if len(with_early((name,)).missing) == len(alone.missing))
            closure = with_early(whole) if whole else alone
    if closure.missing:
        raise StillMissing(program, tuple(library.soname for library in closure.missing))
    linker = elf.read(view.read(ldso))
    libraries = tuple(_placed(view, one, furnished) for one in libraries_of(closure))
    return Decision(
        identity=identity_of(view.stat(program)),
        headers=headers_of(image),
        machine=machine_of(image),
        ldso=ldso,
        build_id=(image.notes.build_id or b"")[:64],
        search=furnished.directory,
        program=program,
        libraries=libraries,
        objects=_objects(furnished, libraries),
        edits=() if furnished.host is not None else hermetic_edits(linker),
        r_debug=r_debug_of(linker),
        by_name=closure.interpreter.family is Family.MUSL,
        opened=furnished.opened if _answered(furnished, closure, linker) else b"",
    )


def _linker_of(view: FileView, furnished: Furnished) -> bytes:
    if furnished.host is not None:
        return furnished.interpreter  # by its usual path, by which strategies know it
    return view.realpath(posixpath.join(furnished.directory, furnished.interpreter))


def _answered(furnished: Furnished, closure: Closure, linker: Image) -> bool:
    """Tell whether what the program opens while it runs is brought: beside libraries of ours alone."""
    return furnished.host is None and opens(closure) and is_audited(linker)


def _opened_alone(view: FileView, program: bytes, image: Image, furnished: Furnished) -> tuple[bytes, ...]:
    """What libraries beside the program, or added to it, need and would not find when it opens them.

    An object with a DT_RUNPATH is not served by the program's DT_RPATH (glibc elf/dl-load.c, _dl_map_object),
    which is how the loader shows the directory: what is to be there when it asks is loaded with the program.
    """
    there = frozenset(view.listdir(furnished.directory))
    names: dict[bytes, None] = {}
    for path in (*Bundle(Remembered(view), program).paths, *furnished.added):
        try:
            found = elf.read(view.read(path))
            dynamic = found.dynamic
        except (OSError, BadInput):
            continue
        same = (found.header.bits, found.header.machine) == (image.header.bits, image.header.machine)
        if same and dynamic is not None and dynamic.runpath is not None:
            names |= dict.fromkeys(name for name in dynamic.needed if name in there)
    return tuple(names)


def _closure(
    view: FileView, program: bytes, ldso: bytes, furnished: Furnished, needed: tuple[bytes, ...] | None
) -> Closure:
    pieces = {soname: Piece(view, path) for soname, path in furnished.beside.items()}
    host = furnished.host
    environment = replace(
        host or Environment(),
        interpreter_path=ldso,
        extra_directories=(LIBRARIES, furnished.directory) if pieces else (furnished.directory,),
        needed=needed,
    )
    world = Sysroot(view, pieces, None, frozenset([program]), host=host is not None)
    return resolve(world, program, environment)


def _needed(image: Image, furnished: Furnished, early: tuple[bytes, ...] = ()) -> tuple[bytes, ...] | None:
    if not furnished.override and not early:
        return None
    first = tuple(posixpath.join(furnished.directory, soname) for soname in furnished.override)
    return first + (image.dynamic.needed if image.dynamic else ()) + early


def _placed(view: FileView, library: DecisionLibrary, furnished: Furnished) -> DecisionLibrary:
    """With the path of the file itself: `$ORIGIN` and dladdr(3) are to see its package."""
    name = library.name.rpartition(b"/")[2] if library.name.startswith(furnished.directory) else library.name
    parent, _, base = library.path.rpartition(b"/")
    if parent == LIBRARIES:
        # Not in the directory that is searched: by no other name, and not by a search beside LD_LIBRARY_PATH.
        return replace(library, path=furnished.beside[base], name=name, pinned=True, renamed=False)
    if parent == furnished.directory:
        return replace(library, path=view.realpath(library.path), name=name)
    return replace(library, name=name)


def _objects(furnished: Furnished, libraries: Iterable[DecisionLibrary]) -> tuple[bytes, ...]:
    """What must be there: the trees of the store, and every library that came with the program."""
    trees = (furnished.directory, *furnished.packages)
    inside = tuple(tree + b"/" for tree in trees)
    own = tuple(library.path for library in libraries if not library.path.startswith(inside))
    return (*trees, *own)
