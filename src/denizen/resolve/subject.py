"""The subject of a resolution: one program or several objects that lie together, without a system (pure)."""

from __future__ import annotations

import posixpath

from denizen.linker import Family
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.dlopen_files import opened_files
from denizen.resolve.engine.load_sets import AddedLibraries, closures_of
from denizen.resolve.engine.model_check import Checker
from denizen.resolve.executable_stacks import stacked_files
from denizen.resolve.existing_libraries import HostLibraries
from denizen.resolve.library_path_libraries import LibraryPathDirectories, by_run_path
from denizen.resolve.shipped_libraries import Bundle
from denizen.resolve.sysroot_view import ChosenFile, Without
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.elf import Header, Image
    from denizen.fileview import FileView
    from denizen.linker import Closure, Environment, LoadedLibrary
    from denizen.resolve.existing_libraries import ExistingLibraries
    from denizen.resolve.rule_packs import RulePacks

# Each round finds the libraries that those of the round before need; bundles nest a few levels.
MAX_ROUNDS = 32
LIBC_VERSION = b"GLIBC_"
# In place of a rule pack's name, for an object that the user named.
ADDED = "added"


class Subject(Value):
    """One or more objects with the libraries that came with them.

    Attributes:
        view: the file tree, each file read once.
        roots: the paths to resolve, the program first.
        header: the ELF header of the first root.
        interpreter: path of the dynamic linker that they name, or the usual one; b"" if none is known.
        musl: they are built for musl.
        own: path -> image of every object that belongs to them, by every path that leads to it.
        objects: the same images, each once.
        names: every name of the own objects: file names and sonames.
        beside: soname -> path, of libraries beside the program that its run path does not reach, and of those
            in the user's LD_LIBRARY_PATH.
        given: the paths of the latter.
        outside: the sonames that are missing: soname -> path of the first object that needs it, in load
            order.
        bundle: the libraries beside the program.
        opened: path -> rule pack, of files beside it that are opened at run time.
        outside_opened: the sonames that only `opened` files need: soname -> path of the first that needs it.
        stacked: files opened at run time that ask for an executable stack, where none loaded before does.
        checker: the linker model with its answers to earlier attempts.
        added, directories: the arguments `added` and `given` of `examine`.
        host: this host as the linker sees it, if its libraries are extended; None for an empty system.
        existing: the libraries with which those that are chosen are loaded; None for no others.
    """

    view: CachedView
    roots: tuple[bytes, ...]
    header: Header
    interpreter: bytes
    musl: bool
    own: Mapping[bytes, Image]
    objects: tuple[Image, ...]
    names: frozenset[bytes]
    beside: Mapping[bytes, bytes]
    given: frozenset[bytes]
    outside: Mapping[bytes, bytes]
    bundle: Bundle
    opened: Mapping[bytes, str]
    outside_opened: Mapping[bytes, bytes]
    stacked: tuple[bytes, ...]
    checker: Checker
    added: tuple[bytes, ...] = ()
    directories: tuple[bytes, ...] = ()
    host: Environment | None = None
    existing: ExistingLibraries | None = None

    @property
    def loaded(self) -> tuple[bytes, ...]:
        """The paths of all objects that have a closure of their own."""
        return (*self.roots, *self.opened)

    @property
    def floor(self) -> tuple[int, ...] | None:
        """The newest GLIBC_ version that is needed, as (2, 38); None for none."""
        asked = {
            version.name for image in self.objects for n in image.version_needs for version in n.versions
        }
        return max(glibc_versions(asked), default=None)

    def is_plugin(self, path: bytes) -> bool:
        """Tell whether a path is a root that some program loads.

        That program may define the symbols that no library here defines.
        """
        return path in self.loaded and path in self.own and self.own[path].interpreter is None


def examine(
    files: FileView,
    roots: Sequence[bytes],
    rules: RulePacks,
    added: Sequence[bytes] = (),
    given: Sequence[bytes] = (),
    *,
    without: Sequence[bytes] = (),
    host: Environment | None = None,
) -> Subject | None:
    """Return the subject for `roots`, with the sonames that it lacks.

    Return None where no root is dynamically linked.

    Args:
        files: the file tree.
        roots: paths of the objects.
        rules: the rule packs.
        added: paths of objects that the program opens at run time; used only if there is one root.
        given: directories of the user's LD_LIBRARY_PATH.
        without: resolved paths of files that are treated as missing.
        host: this host as the linker sees it, if its libraries are to be extended: those it has are not
            missing.

    Raises:
        OSError, BadInput: a root cannot be read.
    """
    view = CachedView(Without(files, without) if without else files)
    images = {root: view.image(root) for root in roots}
    dynamic = _linked(images)
    if not dynamic:
        return None
    header = images[dynamic[0]].header
    interpreter = _interpreter_of([images[root] for root in dynamic], header)
    at_hand = LibraryPathDirectories(view, dynamic[0], given)
    ground = _Ground(view, Bundle(view, dynamic[0]), header, interpreter, rules, given=at_hand, host=host)
    return ground.subject(dynamic, images[dynamic[0]], added, given)


def _linked(images: Mapping[bytes, Image]) -> list[bytes]:
    """Return the paths of the images that a dynamic linker loads, those for the first one's machine."""
    dynamic = [root for root, image in images.items() if image.dynamic and is_linked(image)]
    # Programs before the libraries that they load; then by path, so that the given order does not matter.
    dynamic.sort(key=lambda root: (images[root].interpreter is None, root))
    return [root for root in dynamic if images[root].header.machine == images[dynamic[0]].header.machine]


def _interpreter_of(images: Iterable[Image], header: Header) -> bytes:
    """Return the first interpreter that an image names, or the machine's usual one; b"" if it has none."""
    usual = header.architecture.interpreter if header.architecture is not None else b""
    return next((image.interpreter for image in images if image.interpreter), usual)


class _Ground:
    """The libraries beside the program, added as the linker model misses their names."""

    def __init__(
        self,
        view: CachedView,
        bundle: Bundle,
        header: Header,
        interpreter: bytes,
        rules: RulePacks,
        *,
        given: LibraryPathDirectories,
        host: Environment | None,
    ) -> None:
        self._view = view
        self.bundle = bundle
        self._header = header
        self._interpreter = interpreter
        self._rules = rules
        self._given = given
        self._host = host
        self.beside: dict[bytes, bytes] = {}

    def settle(self, roots: Sequence[bytes]) -> list[Closure]:
        """Return the roots' closures, after adding all missing libraries that lie beside the program."""
        closures: list[Closure] = []
        for _ in range(MAX_ROUNDS):
            pieces = {name: ChosenFile(self._view, path) for name, path in self.beside.items()}
            closures = closures_of(
                self._view, roots, self._interpreter, AddedLibraries(pieces, host=self._host), closures
            )
            found = {
                name: path
                for name in _outside(closures)
                if not _is_libc(name, self._rules) and (path := self._find(name))
            }
            if not found:
                break
            self.beside |= found
        return closures

    def subject(
        self, roots: Sequence[bytes], program: Image, added: Sequence[bytes], directories: Sequence[bytes]
    ) -> Subject:
        """Return the subject of which these are the roots, the first with the image `program`."""
        closures = self.settle(roots)
        outside = _outside(closures)
        opened = self._opened(closures, program, added) if len(roots) == 1 else {}
        closures = self.settle([*roots, *opened]) if opened else closures
        libraries = _own(closures)
        return Subject(
            self._view,
            tuple(roots),
            self._header,
            self._interpreter,
            any(closure.interpreter.family is Family.MUSL for closure in closures),
            {library.path or b"": library.image for library in libraries if library.image is not None},
            tuple({id(library.image): library.image for library in libraries if library.image}.values()),
            frozenset(name for library in libraries for name in library.names if name),
            self.beside,
            frozenset(self._given.found),
            outside,
            self.bundle,
            opened,
            {name: by for name, by in _outside(closures).items() if name not in outside},
            stacked_files(self._view, closures, self.bundle, self._rules),
            Checker(),
            tuple(added),
            tuple(directories),
            self._host,
            HostLibraries(self._view, roots[0], self._host) if self._host is not None else None,
        )

    def _opened(
        self, closures: Sequence[Closure], program: Image, added: Sequence[bytes]
    ) -> dict[bytes, str]:
        """Return the paths of files that the program opens at run time -> the rule pack that says so."""
        libraries = _own(closures)
        names = {name for library in libraries for name in library.names if name}
        own = frozenset(names | {posixpath.basename(library.path or b"") for library in libraries})
        return dict.fromkeys(added, ADDED) | opened_files(self._view, self.bundle, own, program, self._rules)

    def _find(self, name: bytes) -> bytes | None:
        found = self._given.find(name, self._header) or self.bundle.find(name, self._header)
        return found or by_run_path(self._view, self.beside.values(), name, self._header)


def is_linked(image: Image) -> bool:
    """Tell whether an object needs a dynamic linker.

    A static PIE has a dynamic section but no interpreter, and does not need one.
    """
    return image.interpreter is not None or bool(
        image.dynamic and (image.dynamic.needed or image.dynamic.soname)
    )


def glibc_versions(names: Iterable[bytes]) -> list[tuple[int, ...]]:
    """Return the GLIBC_ versions among version names, as numbers."""
    numbers = [name.removeprefix(LIBC_VERSION) for name in names if name.startswith(LIBC_VERSION)]
    return [tuple(map(int, n.split(b"."))) for n in numbers if n.replace(b".", b"").isdigit()]


def _outside(closures: Sequence[Closure]) -> dict[bytes, bytes]:
    outside: dict[bytes, bytes] = {}
    for closure in closures:
        for library in closure.missing:
            outside.setdefault(library.soname, library.needed_by or closure.program.soname)
    return outside


def _is_libc(name: bytes, rules: RulePacks) -> bool:
    # A bundle's C library is meant for the bundle's own wrapper script and cannot be mixed with another.
    return name == rules.libc or name.startswith((b"ld-linux", b"ld-musl", b"libc.musl"))


def _own(closures: Sequence[Closure]) -> list[LoadedLibrary]:
    """Return every object that was found; libraries of the empty system have no image and are left out."""
    return [lib for c in closures for lib in (c.program, *c.libraries) if lib.image is not None]
