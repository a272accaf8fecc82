"""What is resolved: one program or several objects that lie together, in an empty outside world (pure)."""

from __future__ import annotations

import posixpath

from denizen.linker import Family, resolve
from denizen.linker.rule_tables import RPATH, RUNPATH
from denizen.resolve.bundle import Bundle
from denizen.resolve.cache.cached_view import Remembered
from denizen.resolve.dlopen_files import opened_files, stacked_files, wants_stack
from denizen.resolve.engine.load_sets import Furniture, closures_of
from denizen.resolve.engine.model_check import Checker
from denizen.resolve.library_path import Given
from denizen.resolve.sysroot_view import Piece, Without
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.elf import Header, Image
    from denizen.fileview import FileView
    from denizen.linker import Closure, Environment, LoadedLibrary
    from denizen.resolve.rule_packs import RulePacks

# Each round finds what the libraries of the one before it need; bundles nest a few deep.
MAX_ROUNDS = 32
_GLIBC = b"GLIBC_"
# What stands for a rule pack where the user named the object.
ADDED = "added"


@value
class Subject:
    """One or more objects and what came with them.

    Attributes:
        roots: the paths to resolve, the program first.
        interpreter: the dynamic linker's path they name, or the usual one; b"" if none is known.
        own: path -> image of every object that is theirs, by every path that leads to it.
        objects: the same, each once.
        names: every name that own objects answer to.
        beside: soname -> path, of libraries beside the program that its run path does not reach, and of
            those that the user's LD_LIBRARY_PATH leads to.
        given: the paths of the latter.
        outside: what is left: soname -> path of who asks first, in load order.
        bundle: what lies beside the program.
        opened: path -> rule pack, of files beside it that are opened at run time.
        outside_opened: what only these leave: soname -> path of who asks first.
        stacked: files opened at run time that want an executable stack where nothing loaded before has one.
        checker: what the linker model said of earlier attempts.
        added, directories: `added` and `given` as they were asked for.
        host: a start on this host, where its world is extended; None: the empty outside world is furnished.
    """

    view: Remembered
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

    @property
    def loaded(self) -> tuple[bytes, ...]:
        """Every object that has a closure of its own."""
        return (*self.roots, *self.opened)

    @property
    def floor(self) -> tuple[int, ...] | None:
        """The newest GLIBC_ version asked for, as (2, 38)."""
        asked = {
            version.name for image in self.objects for n in image.version_needs for version in n.versions
        }
        return max(glibc_versions(asked), default=None)

    def host_image(self, soname: bytes) -> Image | None:
        """Return the library that any object finds by this name on the host whose world is extended.

        The program's own run path is left aside: what it opens does not search there.
        """
        if self.host is None:
            return None
        asking = replace(self.host, needed=(soname,), parse=self.view.parse)
        found = resolve(self.view, self.roots[0], asking)
        anybodys = (one for one in found.libraries if one.rule not in (RPATH, RUNPATH))
        return next((one.image for one in anybodys if one.soname == soname), None)

    def is_plugin(self, path: bytes) -> bool:
        """Whether it is a root that some program loads, which then defines what nobody here does."""
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
    """What `roots` are and lack; None where none of them is dynamically linked.

    `added` are objects that the only root, a program, opens at run time; of several roots any may.
    `given` are the directories of the user's LD_LIBRARY_PATH.
    With `host`, a start on this host, what it finds there is theirs, and what that lacks is outside.
    Files in `without`, paths resolved, are looked at as if they were not there.
    Raises OSError, BadInput: a root cannot be read.
    """
    view = Remembered(Without(files, without) if without else files)
    images = {root: view.image(root) for root in roots}
    dynamic = [root for root, image in images.items() if image.dynamic and is_linked(image)]
    if not dynamic:
        return None
    # Programs before libraries, for they load them; then whatever order they were given in does not count.
    dynamic.sort(key=lambda root: (images[root].interpreter is None, root))
    header = images[dynamic[0]].header
    dynamic = [root for root in dynamic if images[root].header.machine == header.machine]
    interpreter = next(
        (path for root in dynamic if (path := images[root].interpreter)),
        header.architecture.interpreter if header.architecture is not None else b"",
    )
    at_hand = Given(view, dynamic[0], given)
    ground = _Ground(view, Bundle(view, dynamic[0]), header, interpreter, rules, given=at_hand, host=host)
    closures = ground.settle(dynamic)
    outside = _outside(closures)
    names = frozenset(name for library in _own(closures) for name in library.names if name)
    opened: dict[bytes, str] = {}
    if len(dynamic) == 1:
        own = names | {posixpath.basename(library.path or b"") for library in _own(closures)}
        opened = dict.fromkeys(added, ADDED) | opened_files(
            view, ground.bundle, own, images[dynamic[0]], rules
        )
        closures = ground.settle([*dynamic, *opened]) if opened else closures
    libraries = _own(closures)
    return Subject(
        view,
        tuple(dynamic),
        header,
        interpreter,
        any(closure.interpreter.family is Family.MUSL for closure in closures),
        {library.path or b"": library.image for library in libraries if library.image is not None},
        tuple({id(library.image): library.image for library in libraries if library.image}.values()),
        frozenset(name for library in libraries for name in library.names if name),
        ground.beside,
        frozenset(at_hand.found),
        outside,
        ground.bundle,
        opened,
        {name: by for name, by in _outside(closures).items() if name not in outside},
        _stacked(view, closures, ground.bundle, rules),
        Checker(),
        tuple(added),
        tuple(given),
        host,
    )


class _Ground:
    """What lies beside the program, taken as names come open."""

    def __init__(
        self,
        view: Remembered,
        bundle: Bundle,
        header: Header,
        interpreter: bytes,
        rules: RulePacks,
        *,
        given: Given,
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
        """The closures of the roots, once nothing more that is open lies beside the program."""
        closures: list[Closure] = []
        for _ in range(MAX_ROUNDS):
            pieces = {name: Piece(self._view, path) for name, path in self.beside.items()}
            closures = closures_of(
                self._view, roots, self._interpreter, Furniture(pieces, host=self._host), closures
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

    def _find(self, name: bytes) -> bytes | None:
        return self._given.find(name, self._header) or self.bundle.find(name, self._header)


def _stacked(
    view: Remembered, closures: Sequence[Closure], bundle: Bundle, rules: RulePacks
) -> tuple[bytes, ...]:
    """Files opened later that want an executable stack; none where a program has one from the start."""
    programs = [
        c for c in closures if c.program.image is not None and c.program.image.interpreter is not None
    ]
    started = {
        library.path: library.image
        for closure in programs
        for library in (closure.program, *closure.libraries)
        if library.path and library.image is not None
    }
    if any(wants_stack(image, rules) for image in started.values()):
        return ()
    alone = [c.program.path for c in closures if c.program.path and c.program.path not in started]
    first = closures[0].program.image
    assert first is not None  # examine read it
    return stacked_files(view, [*alone, *bundle.paths], started, first.header, rules)


def is_linked(image: Image) -> bool:
    """Whether a dynamic linker has anything to do: a static PIE has a dynamic section and no interpreter."""
    return image.interpreter is not None or bool(
        image.dynamic and (image.dynamic.needed or image.dynamic.soname)
    )


def glibc_versions(names: Iterable[bytes]) -> list[tuple[int, ...]]:
    """The GLIBC_ versions among version names, as numbers."""
    numbers = [name.removeprefix(_GLIBC) for name in names if name.startswith(_GLIBC)]
    return [tuple(map(int, n.split(b"."))) for n in numbers if n.replace(b".", b"").isdigit()]


def _outside(closures: Sequence[Closure]) -> dict[bytes, bytes]:
    outside: dict[bytes, bytes] = {}
    for closure in closures:
        for library in closure.missing:
            outside.setdefault(library.soname, library.needed_by or closure.program.soname)
    return outside


def _is_libc(name: bytes, rules: RulePacks) -> bool:
    # A bundle that carries a C library carries it for its own wrapper; it cannot be mixed in.
    return name == rules.libc or name.startswith((b"ld-linux", b"ld-musl", b"libc.musl"))


def _own(closures: Sequence[Closure]) -> list[LoadedLibrary]:
    """Every object that was found, with the empty world's libraries nowhere."""
    return [lib for c in closures for lib in (c.program, *c.libraries) if lib.image is not None]
