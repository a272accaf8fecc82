"""The tree of links that unites packages, or parts of them (pure over a FileView).

A path that only one package has becomes one link, also where it is a directory; a directory that several
packages have becomes a directory, and so on down. Of files with the same path, the one of the package with
the lowest priority number is taken. At equal priority they must be the same file or have the same content;
otherwise it is a conflict, and all conflicts are reported together. Links are relative, through the store
directory: `../<hash>-name/bin/x`.
"""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.errors import BadInput, display
from denizen.fileview import FileKind
from denizen.formats.entry_name import is_entry_name
from denizen.formats.file_tree import Directory, Symlink
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.build.builtin_variables import Variables
    from denizen.fileview import FileView
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath

# Conflicts listed in a message.
_SHOWN = 20


class Conflict(BadInput):
    """Packages of equal priority have different files at the same path.

    Attributes:
        clashes: each path with the two packages.
    """

    clashes: tuple[tuple[bytes, StorePath, StorePath], ...]
    REMEDY = "leave one of the packages out, or give one a lower priority number than the other"

    @property
    def what(self) -> str:
        count = len(self.clashes)
        return f"the packages have {count} {'path' if count == 1 else 'paths'} in common that differ"

    @property
    def why(self) -> str:
        shown = [f"{display(path)}: {one} and {other}" for path, one, other in self.clashes[:_SHOWN]]
        left = len(self.clashes) - len(shown)
        return "\n".join(shown + ([f"and {left} more"] if left else []))


class UnionInput(Value):
    """A package, or a part of one, and its priority; the lower number wins.

    Attributes:
        inside: the part's path in the package, b"" for all of it.
        outside: where the part appears in the union, b"" for the top.
    """

    path: StorePath
    priority: int
    inside: bytes = b""
    outside: bytes = b""


class UnionProvider(Value):
    """A package to be united, and a view of its own tree as /."""

    package: UnionInput
    view: FileView


def inputs_of(variables: Variables) -> list[UnionInput]:
    """Return the packages to unite.

    Raises:
        BadDerivation: a priority that is not a number, or a path that is not plain and relative.
        BadStorePath: a package that is not in the store.
    """
    packages = []
    for priority, path, inside, outside in variables.rows(b"packages", 4):
        if not priority.isdigit() or len(priority) > 9:
            raise BadDerivation(variables.name, f"'{display(priority)}' is not a priority")
        for part in (inside, outside):
            if part and not all(map(is_entry_name, part.split(b"/"))):
                raise BadDerivation(variables.name, f"'{display(part)}' is not a path in a tree")
        packages.append(UnionInput(variables.store_path(path), int(priority), inside, outside))
    return packages


def plan(providers: Sequence[UnionProvider]) -> Iterator[Entry]:
    """Yield the tree of links in a NAR's order.

    Raises:
        Conflict: at the end, with every clash found.
        OSError: a package cannot be read.
    """
    clashes: list[tuple[bytes, StorePath, StorePath]] = []
    pending: list[tuple[bytes, list[UnionProvider]]] = [(b"", list(providers))]
    while pending:
        path, here = pending.pop()
        if path and len(here) == 1 and (place := _place(here[0], path)) is not None:
            yield Symlink(path, _link(path, here[0], place))
            continue
        yield Directory(path)
        # Each package is asked only for what it has: a directory of 500 packages has names of one each.
        having: dict[bytes, list[UnionProvider]] = {}
        for one in here:
            for name in _names(one, path):
                having.setdefault(name, []).append(one)
        for name in sorted(having, reverse=True):
            below, some = path + b"/" + name if path else name, having[name]
            pending.append((below, some if len(some) == 1 else _winners(below, some, clashes)))
    if clashes:
        raise Conflict(tuple(sorted(clashes, key=lambda clash: clash[0])))


def _place(provider: UnionProvider, path: bytes) -> bytes | None:
    """Return the path in a package of what appears at `path` in the union.

    Return None for a directory above the package's part.
    """
    inside, outside = provider.package.inside, provider.package.outside
    if not outside or path == outside:
        rest = path if not outside else b""
    elif path.startswith(outside + b"/"):
        rest = path[len(outside) + 1 :]
    else:
        return None
    return b"/".join([part for part in (inside, rest) if part])


def _is_above(provider: UnionProvider, path: bytes) -> bool:
    outside = provider.package.outside
    return bool(outside) and (not path or outside.startswith(path + b"/"))


def _names(provider: UnionProvider, path: bytes) -> tuple[bytes, ...]:
    """Return the names in the directory that a package has at `path` of the union."""
    place = _place(provider, path)
    if place is not None:
        return provider.view.listdir(b"/" + place)
    rest = provider.package.outside.removeprefix(path + b"/" if path else b"")
    return (rest.partition(b"/")[0],)


def _winners(
    path: bytes, providers: Sequence[UnionProvider], clashes: list[tuple[bytes, StorePath, StorePath]]
) -> list[UnionProvider]:
    """Return the packages that provide `path`: several only where it is a directory in each.

    Add to `clashes`.
    """
    having = [(one, kind) for one in providers if (kind := _kind(one, path)) is not None]
    best = min(one.package.priority for one, _ in having)
    first, kind = next(found for found in having if found[0].package.priority == best)
    if kind is FileKind.DIRECTORY:
        rivals = [one for one, other in having if other is not kind and one.package.priority == best]
        clashes += [(path, first.package.path, one.package.path) for one in rivals]
        return [one for one, other in having if other is kind]
    for one, other in having:
        equal = one.package.priority == best and one is not first
        if equal and (other is not kind or not _same(first, one, path)):
            clashes.append((path, first.package.path, one.package.path))
    return [first]


def _kind(provider: UnionProvider, path: bytes) -> FileKind | None:
    """Return the kind of a package's file at `path`, or None.

    A link counts as what it leads to in the package.
    """
    place = _place(provider, path)
    if place is None:
        return FileKind.DIRECTORY if _is_above(provider, path) else None
    try:
        kind = provider.view.lstat(b"/" + place).kind
    except FileNotFoundError:
        return None
    if kind is not FileKind.SYMLINK:
        return kind
    try:
        return provider.view.stat(b"/" + place).kind
    except OSError:
        return kind  # it leads out of the package, in circles, or nowhere


def _same(one: UnionProvider, other: UnionProvider, path: bytes) -> bool:
    """Tell whether two packages have the same link, or files of the same content and mode, at `path`."""
    first, second = b"/" + (_place(one, path) or b""), b"/" + (_place(other, path) or b"")
    links = [
        view.lstat(at).kind is FileKind.SYMLINK for view, at in ((one.view, first), (other.view, second))
    ]
    if all(links) and one.view.readlink(first) == other.view.readlink(second):
        return True
    if _kind(one, path) is not FileKind.FILE or _kind(other, path) is not FileKind.FILE:
        return False
    facts = one.view.stat(first), other.view.stat(second)
    if facts[0].size != facts[1].size or (facts[0].mode ^ facts[1].mode) & 0o100:
        return False
    return bytes(one.view.read(first)) == bytes(other.view.read(second))


def _link(path: bytes, provider: UnionProvider, place: bytes) -> bytes:
    base = provider.package.path.base.encode("ascii")
    return b"../" * (path.count(b"/") + 1) + base + (b"/" + place if place else b"")
