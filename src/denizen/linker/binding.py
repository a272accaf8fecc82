"""Whether every version and every symbol a closure asks for is there: `bind` (pure).

Sources: versions, glibc elf/dl-version.c (match_symbol, _dl_check_map_versions); symbols, elf/dl-lookup.c
(check_match, do_lookup_x) over the objects in the order of the scope, for what relocations refer to, as
`ldd -r` reports it. musl knows no versions; its rule is ldso/dynlink.c, find_sym.

Nearly every symbol is found where its version says, so whole sets of names are taken from one another
first, and only what remains is looked up the way ld.so does.
"""

from __future__ import annotations

from functools import cached_property
from itertools import compress
from operator import and_

from denizen.elf import constants as c
from denizen.errors import BadInput
from denizen.linker.interpreter import Family
from denizen.linker.rules import INTERPRETER
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from denizen.elf import Image
    from denizen.linker.closure import Closure, Library

# Below this index a definition is its object's oldest; references that name no version take it.
FIRST_NAMED_INDEX = 3


@value
class MissingVersion:
    """A version that `needed_by` asks of `file` and nobody defines.

    Attributes:
        version: "GLIBC_2.38".
        file: the soname it is asked of.
        needed_by: path of the object that asks.
        provider: path of what was loaded for `file`; None: nothing of that name was.
        unversioned: the provider defines no versions at all, which ld.so accepts with a warning.
    """

    version: bytes
    file: bytes
    needed_by: bytes
    provider: bytes | None
    unversioned: bool = False


@value
class UnresolvedSymbol:
    """A symbol that a relocation refers to and no object defines."""

    name: bytes
    version: bytes | None
    file: bytes | None
    needed_by: bytes


@value
class Damaged:
    """An object whose tables cannot be read; it was left out."""

    path: bytes
    problem: str


@value
class Binding:
    """What of a closure's demands is not met.

    Attributes:
        missing_versions: fatal at the start.
        unversioned: ld.so warns of these and goes on.
        unresolved: fatal when bound: at the start, or at the first call.
        damaged: objects that could not be asked.
    """

    missing_versions: tuple[MissingVersion, ...] = ()
    unversioned: tuple[MissingVersion, ...] = ()
    unresolved: tuple[UnresolvedSymbol, ...] = ()
    damaged: tuple[Damaged, ...] = ()


def bind(closure: Closure) -> Binding:
    """Check all versions, then all symbols, of every object in the closure's scope."""
    objects, damaged = _objects(closure)
    if closure.interpreter.family is Family.MUSL:
        return Binding(unresolved=tuple(_unresolved(objects, {}, versions=False)), damaged=damaged)
    by_name = _by_name(closure, objects)
    asked = [o for o in objects if o.library.rule is not INTERPRETER]
    missing = [lack for o in asked for lack in _missing_versions(o, by_name)]
    return Binding(
        tuple(lack for lack in missing if not lack.unversioned),
        tuple(lack for lack in missing if lack.unversioned),
        tuple(_unresolved(objects, by_name, versions=True)),
        damaged,
    )


class _Object:
    """One object of the scope with the columns that binding asks for, each made once."""

    def __init__(self, library: Library, image: Image) -> None:
        self.library = library
        self.image = image
        self.symbols = image.symbols
        self.path = library.path or library.soname

    @cached_property
    def plain(self) -> frozenset[bytes]:
        """Names that a reference without a version finds here at first sight: those not hidden."""
        symbols = self.symbols
        if symbols.version_indices is None:
            return symbols.defined_names
        shown = map((c.VERSYM_HIDDEN).__gt__, symbols.version_indices)
        return frozenset(compress(symbols.names, map(and_, symbols.is_findable, shown)))

    @cached_property
    def by_version(self) -> Mapping[bytes, frozenset[bytes]]:
        """Version -> names defined in it."""
        versions, table = self.symbols.version_indices, self.symbols.version_table
        if versions is None:
            return {}
        names: dict[int, list[bytes]] = {}
        for name, index in compress(zip(self.symbols.names, versions, strict=True), self.symbols.is_findable):
            names.setdefault(index & c.VERSYM_VERSION, []).append(name)
        return {table[index][0]: frozenset(found) for index, found in names.items() if index in table}

    def references(self) -> Mapping[int, Iterable[bytes]]:
        """Version index (0: none) -> names of references that are not weak."""
        symbols = self.symbols
        if symbols.version_indices is None:
            return {0: symbols.undefined_names}
        grouped: dict[int, list[bytes]] = {}
        columns = zip(symbols.names, symbols.version_indices, symbols.infos, strict=True)
        for name, index, info in compress(columns, symbols.is_undefined):
            if info >> 4 != c.STB_WEAK:
                grouped.setdefault(index & c.VERSYM_VERSION, []).append(name)
        return grouped

    def provides(self, name: bytes, version: bytes | None) -> bool:
        """check_match over the definitions of one name."""
        found = self.symbols.exports_of({name})
        if self.symbols.version_indices is None:
            return bool(found)
        if version is not None:
            return any(e.version == version or (e.version is None and not e.hidden) for e in found)
        if any(e.version_index < FIRST_NAMED_INDEX for e in found):
            return True
        return sum(not e.hidden for e in found) == 1


def _objects(closure: Closure) -> tuple[list[_Object], tuple[Damaged, ...]]:
    """The scope's objects whose symbols can be read, and those whose cannot."""
    objects: list[_Object] = []
    damaged: list[Damaged] = []
    for library in closure.scope:
        if library.image is None:
            continue
        try:
            made = _Object(library, library.image)
            made.plain, made.by_version, made.references()  # reads every table there is
        except BadInput as fault:
            damaged.append(Damaged(library.path or library.soname, str(fault)))
        else:
            objects.append(made)
    return objects, tuple(damaged)


def _by_name(closure: Closure, objects: list[_Object]) -> dict[bytes, _Object | None]:
    """find_needed: the first in load order that goes by a name; None: one that was not found."""
    made = {id(o.library): o for o in objects}
    named: dict[bytes, _Object | None] = {}
    for library in (closure.program, *closure.libraries):
        for name in library.names:
            named.setdefault(name, made.get(id(library)))
    return named


def _missing_versions(asking: _Object, by_name: Mapping[bytes, _Object | None]) -> Iterator[MissingVersion]:
    """match_symbol for each version one object needs."""
    for need in asking.image.version_needs:
        if need.file not in by_name:
            yield from (MissingVersion(v.name, need.file, asking.path, None) for v in need.versions)
            continue
        provider = by_name[need.file]
        if provider is None:
            continue
        defined = {definition.name for definition in provider.image.version_definitions}
        for version in need.versions:
            if not defined:
                yield MissingVersion(version.name, need.file, asking.path, provider.path, unversioned=True)
            elif version.name not in defined and not version.weak:
                yield MissingVersion(version.name, need.file, asking.path, provider.path)


def _unresolved(
    objects: list[_Object], by_name: Mapping[bytes, _Object | None], *, versions: bool
) -> Iterator[UnresolvedSymbol]:
    """What no object defines, of what relocations refer to; ld.so itself is bound already."""
    everything = frozenset().union(*(o.plain for o in objects))
    for asking in objects:
        if asking.library.rule is INTERPRETER:
            continue
        lacking = {
            name: (version, file)
            for name, version, file in _suspects(asking, by_name, everything, versions=versions)
            if not any(o.provides(name, version) for o in objects)
        }
        for name in _referred(asking, lacking):
            version, file = lacking[name]
            yield UnresolvedSymbol(name, version, file, asking.path)


def _suspects(
    asking: _Object,
    by_name: Mapping[bytes, _Object | None],
    everything: frozenset[bytes],
    *,
    versions: bool,
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """References that the sets of names do not settle: (name, version, file)."""
    table = asking.symbols.version_table if versions else {}
    for index, names in asking.references().items():
        version, file = table.get(index, (None, None))
        known = everything
        if version is not None:
            # A version with no file is defined by the object itself.
            provider = asking if file is None else by_name.get(file)
            known = frozenset() if provider is None else provider.by_version.get(version, frozenset())
        yield from ((name, version, file) for name in names if name not in known)


def _referred(asking: _Object, lacking: Mapping[bytes, object]) -> list[bytes]:
    """Those of the names that some relocation refers to, in symbol order."""
    if not lacking:
        return []
    symbols = asking.symbols
    indices = [
        index
        for index in compress(range(len(symbols)), symbols.is_undefined)
        if symbols.names[index] in lacking
    ]
    referred = symbols.referenced_by_relocations(indices)
    return list(dict.fromkeys(symbols.names[index] for index in indices if index in referred))
