"""The files of a bundle: the program and what belongs to it, libraries, data, denizen's own parts."""

from __future__ import annotations

import os
import posixpath
import stat

from denizen.app.bundles.errors import NotBundled
from denizen.app.bundles.left_out import LEFT_OUT, parts_nothing_needs
from denizen.app.bundles.packaged_resources import packaged_resources
from denizen.app.relocate.tree_directories import TreeDirectories
from denizen.disk import open_regular, refuse_hollow
from denizen.formats.bundle_image import EntryKind, ImageEntry
from denizen.launch.bundle_launcher import launcher_beside
from denizen.launch.bundle_layout import (
    ANY_DECISION,
    DATA,
    DECISION,
    DIRECTORY,
    INSIDE,
    LIBRARIES,
    LOADER,
    PROGRAM,
    RESIDENT,
    SCRIPT,
    bundled_decision,
    decision_about_any,
    decision_name,
    program_name,
    script_name,
)
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.loader.binaries import inside_binary, loader_binary, optional_resident
from denizen.launch.program import once_read
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.shipped_libraries import Bundle
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from denizen.app.bundles.bundle_request import CarriedScript
    from denizen.app.bundles.program_closure import ProgramClosure
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.resources.fixed_paths import FixedPathResource

# Files; a tree with more is a mistake, such as a home directory.
_MAX_FILES = 200_000


def entries_of(
    closure: ProgramClosure,
    tree: bytes,
    machine: str,
    *,
    children: bool = True,
    script: CarriedScript | None = None,
) -> list[ImageEntry]:
    """Return the entries of a bundle, those that are loaded first at the front.

    Args:
        closure: the program with its packages.
        tree: a directory that goes with the program in it as a whole; b"" for its libraries alone.
        machine: of the launcher, as `uname -m` has it.
        children: with the parts that start what the program executes, and show it files at fixed paths.
        script: that the program interprets.

    Raises NotBundled, LoaderAbsent, OSError.
    """
    names = _Names(closure, tree)
    data = _data(closure) if children else []
    resident = optional_resident(machine)
    decision = bundled_decision(
        closure.decision,
        names.program,
        names.places,
        data=bool(data),
        resident=bool(resident),
        whole=bool(tree),
    )
    own = [ImageEntry(DECISION, EntryKind.FILE, encode(decision))]
    if children:
        own += _child_decisions(closure, names, data=bool(data), resident=bool(resident))
        loader = launcher_beside(loader_binary(machine))
        own.append(ImageEntry(LOADER, EntryKind.PROGRAM, loader))
        own.append(ImageEntry(INSIDE, EntryKind.FILE, inside_binary(machine)))
    if decision.opened:
        own.append(ImageEntry(RESIDENT, EntryKind.FILE, resident))
    carried = _carried(script) if script is not None else ()
    found = {entry.name: entry for entry in (*own, *names.entries(), *data, *carried)}
    return [replace(entry, name=posixpath.join(DIRECTORY, name)) for name, entry in found.items()]


def _carried(script: CarriedScript) -> Iterator[ImageEntry]:
    """Yield the files of a script; alone it has the time of a store's files, for the same bytes each time."""
    if script.tree:
        yield from _walked(script.tree, SCRIPT, timed=True)
    else:
        yield _file(script_name(script.path, b""), script.path)


def _child_decisions(
    closure: ProgramClosure, names: _Names, *, data: bool, resident: bool
) -> list[ImageEntry]:
    """Return the decisions about programs of the tree, and the one for any program without one."""
    found = []
    for path, decision in closure.children.items():
        if names.has_all_of(decision):
            name = names.of(path)
            child = bundled_decision(
                decision, name, names.places_of(decision), data=data, resident=resident, whole=True
            )
            found.append(ImageEntry(decision_name(name), EntryKind.FILE, encode(child)))
    unknown = decision_about_any(closure.decision)
    if unknown is not None:
        made = bundled_decision(
            unknown, names.program, names.places, data=data, resident=resident, whole=False
        )
        found.append(ImageEntry(ANY_DECISION, EntryKind.FILE, encode(made)))
    return found


def own_files(closure: ProgramClosure, tree: bytes = b"") -> dict[bytes, bytes]:
    """Return the program and the libraries that came with it: path below their directory -> path on disk.

    The program is the first. `tree` is a directory that goes with it as a whole. Raises NotBundled.
    """
    names = _Names(closure, tree)
    paths = [closure.program.path, *names.own]
    return {program_name(path, names.tree).removeprefix(PROGRAM + b"/"): path for path in paths}


class _Names:
    """The names in a bundle of a program's files."""

    def __init__(self, closure: ProgramClosure, tree: bytes) -> None:
        self._closure = closure
        path, decision = closure.program.path, closure.decision
        self.own = self._belonging()
        self.tree = tree or _common([path, *self.own])
        if tree and not path.startswith(tree.rstrip(b"/") + b"/"):
            raise NotBundled(path, "it is not in the directory that is to go with it")
        self._whole = bool(tree)
        self.program = program_name(path, self.tree)
        self._libraries = self._flat()
        self._flat_places = {
            real: posixpath.join(LIBRARIES, name) for name, real in reversed(self._libraries.items())
        }
        self.places = self.places_of(decision)

    def of(self, path: bytes) -> bytes:
        """Return the name in the bundle of a file that belongs to the program."""
        return program_name(path, self.tree)

    def places_of(self, decision: Decision) -> dict[bytes, bytes]:
        """Return path here -> name in the bundle, of the dynamic linker and all libraries of a decision."""
        own = {one.path: self.of(one.path) for one in decision.libraries if one.path not in self._flat_places}
        return self._flat_places | own

    def has_all_of(self, decision: Decision) -> bool:
        """Tell whether the bundle has all files of a decision about a program of its tree."""
        return all(map(self.has, [decision.ldso, *[one.path for one in decision.libraries]]))

    def has(self, path: bytes) -> bool:
        """Tell whether the bundle has a file: a library of a package, one that came along, or of the tree."""
        below = self.tree.rstrip(b"/") + b"/"
        return path in self._flat_places or path in self.own or (self._whole and path.startswith(below))

    def _belonging(self) -> tuple[bytes, ...]:
        """Return the libraries that came with the program."""
        closure = self._closure
        view = CachedView(once_read(closure.program))
        packages = tuple(tree + b"/" for tree in closure.packages.values())
        used = [one.path for one in closure.decision.libraries if not one.path.startswith(packages)]
        return tuple(dict.fromkeys((*used, *Bundle(view, closure.program.path).paths)))

    def _flat(self) -> dict[bytes, bytes]:
        """Return the name of each library of the flat directory, with the real file."""
        decision = self._closure.decision
        found = {os.path.basename(decision.ldso): decision.ldso}
        unused = parts_nothing_needs(self._closure) if self._opens_nothing() else frozenset()
        for name in sorted(os.listdir(decision.search)):
            if name in unused:
                continue
            found[name] = os.path.realpath(os.path.join(decision.search, name))
        return found

    def _opens_nothing(self) -> bool:
        """Tell whether no object but those of the decision can come into the program, nor a child's."""
        program, decision = self._closure.program, self._closure.decision
        packed = program.image is not None and program.image.payload is not None
        return not (decision.opened or decision.by_name or self._whole or self.own or packed)

    def entries(self) -> Iterator[ImageEntry]:
        """Yield the files of the program and its libraries; a second name of a library is a link."""
        path = self._closure.program.path
        yield _file(self.program, path, program=True)
        first: dict[bytes, bytes] = {}
        for name, real in self._libraries.items():
            at = first.setdefault(real, name)
            inside = posixpath.join(LIBRARIES, name)
            if at == name:
                yield _file(inside, real)
            else:
                yield ImageEntry(inside, EntryKind.LINK, at)
        yield from self._beside()
        if self._whole:
            yield from _walked(self.tree, PROGRAM, timed=True)
        else:
            for own in self.own:
                yield _file(program_name(own, self.tree), own)

    def _beside(self) -> Iterator[ImageEntry]:
        """Yield links to libraries that came with the program, for what is opened and has no way to them."""
        for name, path in self._closure.beside.items():
            if name not in self._libraries and self.has(path):
                target = posixpath.relpath(self.of(path), LIBRARIES)
                yield ImageEntry(posixpath.join(LIBRARIES, name), EntryKind.LINK, target)


def _common(paths: Sequence[bytes]) -> bytes:
    """Return the directory that all paths are in."""
    return os.path.commonpath([os.path.dirname(path) for path in paths])


def _file(
    name: bytes,
    path: bytes,
    *,
    program: bool = False,
    timed: bool = False,
    opener: Callable[[str, int], int] = open_regular,
) -> ImageEntry:
    """Return the entry of a file. `timed`: with its time; else it has that of a store's files."""
    with open(path, "rb", opener=opener) as stream:
        refuse_hollow(stream.fileno(), path)
        content = stream.read()
        facts = os.fstat(stream.fileno())
    kind = EntryKind.PROGRAM if program or facts.st_mode & stat.S_IXUSR else EntryKind.FILE
    return ImageEntry(name, kind, content, int(facts.st_mtime)) if timed else ImageEntry(name, kind, content)


def _walked(tree: bytes, name: bytes, *, timed: bool = False) -> Iterator[ImageEntry]:
    """Yield all files, links and empty directories of a directory, in the order of names.

    `timed`: with the files' times, which tell whether what was compiled from them is of this state.
    """
    with TreeDirectories(tree) as opened:
        yield from _below(opened, tree, name, timed=timed)


def _below(opened: TreeDirectories, tree: bytes, name: bytes, *, timed: bool) -> Iterator[ImageEntry]:
    count = 0
    for place, directories, files in os.walk(tree):
        directories.sort()
        below = posixpath.normpath(posixpath.join(name, os.path.relpath(place, tree)))
        if not directories and not files:
            yield ImageEntry(below, EntryKind.DIRECTORY)
        linked = [one for one in directories if os.path.islink(os.path.join(place, one))]
        for each in sorted((*files, *linked)):
            path = os.path.join(place, each)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                yield ImageEntry(posixpath.join(below, each), EntryKind.LINK, os.readlink(path))
            elif stat.S_ISREG(mode):
                yield _file(posixpath.join(below, each), path, timed=timed, opener=opened.open)
            count += 1
            if count > _MAX_FILES:
                raise NotBundled(tree, f"the directory has more than {_MAX_FILES} files")


def _data(closure: ProgramClosure) -> list[ImageEntry]:
    """Return the packages' files for fixed paths, as a host that has nothing needs them."""
    found: dict[bytes, ImageEntry] = {}
    first: dict[bytes, bytes] = {}
    for one in packaged_resources(closure):
        for entry in _resource(DATA + one.target, one, first):
            if not entry.name.startswith(LEFT_OUT):
                found.setdefault(entry.name, _without_absolute(entry))
    for path, source in closure.files.items():
        found.setdefault(DATA + path, _file(DATA + path, source))
    return list(found.values())


def _resource(name: bytes, one: FixedPathResource, first: dict[bytes, bytes]) -> Iterable[ImageEntry]:
    """Return the entries of a file or directory; one that is there by another name is a link to that.

    `first` has the names of the directories so far, which this adds to.
    """
    if not one.directory:
        return [_file(name, one.source)]
    real = os.path.realpath(one.source)
    at = first.setdefault(real, name)
    if at != name:
        return [ImageEntry(name, EntryKind.LINK, posixpath.relpath(at, posixpath.dirname(name)))]
    return _walked(real, name)


def _without_absolute(entry: ImageEntry) -> ImageEntry:
    """Return the entry; an absolute link leads into the bundle's data, as it would on a host that had it."""
    target = bytes(entry.content)
    if entry.kind is not EntryKind.LINK or not target.startswith(b"/"):
        return entry
    within = posixpath.relpath(DATA + target, posixpath.dirname(entry.name))
    return ImageEntry(entry.name, entry.kind, within)
