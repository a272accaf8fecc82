"""Symbol binding: the versions and symbols of a closure that no object defines, by `bind` (pure).

Sources: versions, glibc elf/dl-version.c (match_symbol, _dl_check_map_versions); symbols, elf/dl-lookup.c
(check_match, do_lookup_x) over the objects in the order of the scope, for what relocations refer to, as
`ldd -r` reports it. musl knows no versions; its rule is ldso/dynlink.c, find_sym.

The order of the scope does not matter here, only that some object defines the symbol. So the file that the
version names is searched first, or, for references without a file, an object whose hash table has the
name's hash, and the whole scope only after that. A reference of many objects is looked up once.
"""

from __future__ import annotations

from itertools import repeat

from denizen.elf import constants as c
from denizen.elf.cached_property import once
from denizen.elf.symbol_lookup import gnu_hash
from denizen.errors import BadInput
from denizen.linker.built_in_rules import Family
from denizen.linker.rule_tables import INTERPRETER
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from denizen.elf import Image
    from denizen.linker.closure import Closure, LoadedLibrary

    # A reference: (name, (version, file)), with None where none is stated.
    Question: TypeAlias = tuple[bytes, tuple[bytes | None, bytes | None]]

# Below this index a definition is its object's oldest; references that name no version take it.
FIRST_NAMED_INDEX = 3
_NO_VERSION: tuple[None, None] = (None, None)


class MissingVersion(Value):
    """A version that `needed_by` needs of `file` and that no object defines.

    Attributes:
        version: "GLIBC_2.38".
        file: the soname of the library it is needed of.
        needed_by: path of the object that needs it.
        provider: path of the library loaded for `file`; None if none was.
        unversioned: the provider defines no versions at all, which ld.so accepts with a warning.
    """

    version: bytes
    file: bytes
    needed_by: bytes
    provider: bytes | None
    unversioned: bool = False


class UnresolvedSymbol(Value):
    """A symbol that a relocation in `needed_by` refers to and that no object defines.

    `version` and `file` (a soname) are as the reference states them, or None. With `now` the object has all
    its symbols bound at start, which ends there; else the program ends when it calls the function.
    """

    name: bytes
    version: bytes | None
    file: bytes | None
    needed_by: bytes
    now: bool = False


class DamagedTable(Value):
    """An object that was left out because its tables cannot be read."""

    path: bytes
    problem: str


class Binding(Value):
    """The versions and symbols of a closure that are missing.

    Attributes:
        missing_versions: fatal at start.
        unversioned: accepted by ld.so with a warning.
        unresolved: fatal when bound: at start, or at the first call.
        damaged: objects whose tables cannot be read.
    """

    missing_versions: tuple[MissingVersion, ...] = ()
    unversioned: tuple[MissingVersion, ...] = ()
    unresolved: tuple[UnresolvedSymbol, ...] = ()
    damaged: tuple[DamagedTable, ...] = ()


def bind(closure: Closure, asking: Collection[LoadedLibrary] | None = None) -> Binding:
    """Check the versions that every object in the closure's scope needs, then the symbols it refers to.

    Args:
        closure: a program and all it loads.
        asking: the objects whose references are looked up (module `unvouched_objects`); None: all.
    """
    objects, damaged = objects_of(closure, asking)
    if closure.interpreter.family is Family.MUSL:
        unresolved = tuple(_unresolved(objects, {}, versions=False))
        return Binding(unresolved=unresolved, damaged=(*damaged, *_damaged(objects)))
    by_name = objects_by_name(closure, objects)
    asked = [o for o in objects if o.library.rule is not INTERPRETER]
    missing = [lack for o in asked for lack in _missing_versions(o, by_name)]
    unresolved = tuple(_unresolved(objects, by_name, versions=True))
    return Binding(
        tuple([lack for lack in missing if not lack.unversioned]),
        tuple([lack for lack in missing if lack.unversioned]),
        unresolved,
        (*damaged, *_damaged(objects)),
    )


def _damaged(objects: list[Bound]) -> list[DamagedTable]:
    """Return the objects whose tables turned out to be unreadable during lookups."""
    return [DamagedTable(o.path, str(o.fault)) for o in objects if o.fault is not None]


class Bound:
    """One object of the scope: its references, and the lookup of its definitions.

    Of an object without `asks`, only versions are read until a symbol is looked up in it: of the 60 libraries
    of a program that its distribution built, 40 never are.

    Attributes:
        indices, names: its references, as columns; empty without `asks`.
        unversioned: it defines no versions.
        fault: the error in its tables, set when a symbol is looked up in it.
    """

    def __init__(self, library: LoadedLibrary, image: Image, *, asks: bool) -> None:
        self.library = library
        self.image = image
        self.path = library.path or library.soname
        self.needs = image.version_needs
        self.unversioned = not image.version_definitions
        self.fault: BadInput | None = None
        self.indices: Sequence[int] = ()
        self.names: Sequence[bytes] = ()
        if asks:
            self.indices, self.names = image.symbols.strong_references
            _ = self.definitions
            if self.fault is not None:
                raise self.fault

    @once
    def definitions(self) -> Definitions | None:
        """Its definitions; None where a table is malformed, and then it defines nothing."""
        try:
            found = Definitions(self.image)
        except BadInput as fault:
            self.fault = fault
            return None
        return found

    @once
    def defined_versions(self) -> frozenset[bytes]:
        """The names of DT_VERDEF."""
        return frozenset([definition.name for definition in self.image.version_definitions])

    def questions(self, *, versions: bool) -> list[Question]:
        """Return its references, with version and file if `versions` and if it states them."""
        if not self.names:
            return []
        symbols, table = self.image.symbols, self.image.symbols.version_table
        pairs: Iterable[tuple[bytes | None, bytes | None]] = repeat(_NO_VERSION, len(self.names))
        if versions and symbols.version_indices is not None:
            stated = symbols.version_indices
            pairs = [table.get(stated[index] & c.VERSYM_VERSION, _NO_VERSION) for index in self.indices]
        return list(zip(self.names, pairs, strict=True))

    def provides(self, name: bytes, code: int, version: bytes | None) -> bool:
        """Return whether it defines the symbol in this version; `code` is the gnu_hash of the name."""
        known = self.definitions
        return known is not None and known.match(known.find(name, code), version)


class Definitions:
    """The definitions of one object, and the version rules that select among them. Raises BadInput."""

    def __init__(self, image: Image) -> None:
        self._versions = image.symbols.version_indices
        self._table = image.symbols.version_table
        self.find = image.symbols.lookup.find
        self.find_each = image.symbols.lookup.find_each
        self.hashes = image.symbols.lookup.hashes

    def match(self, found: list[int], version: bytes | None) -> bool:
        """Return whether check_match of glibc accepts one of the symbols `found` as `version`.

        None: unversioned.
        """
        versions = self._versions
        if versions is None or not found:
            return bool(found)
        shown = 0
        for index in found:
            stated = versions[index]
            number = stated & c.VERSYM_VERSION
            if version is None:
                if number < FIRST_NAMED_INDEX:
                    return True
                shown += stated == number
            else:
                here = self._table.get(number, _NO_VERSION)[0]
                if here == version or (here is None and stated == number):
                    return True
        return shown == 1

    def show(self, found: list[int], _: bytes | None) -> bool:
        """Return whether find_sym of musl accepts one of the symbols `found`: its version is not hidden."""
        versions = self._versions
        return any(versions is None or versions[index] < c.VERSYM_HIDDEN for index in found)


def objects_of(
    closure: Closure, asking: Collection[LoadedLibrary] | None = None
) -> tuple[list[Bound], tuple[DamagedTable, ...]]:
    """Return the scope's objects whose symbols can be read, and the others; only `asking` have references."""
    wanted = None if asking is None else {id(library) for library in asking}
    objects: list[Bound] = []
    damaged: list[DamagedTable] = []
    for library in closure.scope:
        if library.image is None:
            continue
        try:
            made = Bound(library, library.image, asks=wanted is None or id(library) in wanted)
        except BadInput as fault:
            damaged.append(DamagedTable(library.path or library.soname, str(fault)))
        else:
            objects.append(made)
    return objects, tuple(damaged)


def objects_by_name(closure: Closure, objects: list[Bound]) -> dict[bytes, Bound | None]:
    """Return the first object in load order with each name (find_needed); None for a library not found."""
    made = {id(o.library): o for o in objects}
    named: dict[bytes, Bound | None] = {}
    for library in (closure.program, *closure.libraries):
        for name in library.names:
            named.setdefault(name, made.get(id(library)))
    return named


def _missing_versions(asking: Bound, by_name: Mapping[bytes, Bound | None]) -> Iterator[MissingVersion]:
    """Yield the versions one object needs that are not defined, by the rules of match_symbol."""
    for need in asking.needs:
        if need.file not in by_name:
            yield from (MissingVersion(v.name, need.file, asking.path, None) for v in need.versions)
            continue
        provider = by_name[need.file]
        if provider is None:
            continue
        defined = provider.defined_versions
        for version in need.versions:
            if not defined:
                yield MissingVersion(version.name, need.file, asking.path, provider.path, unversioned=True)
            elif version.name not in defined and not version.weak:
                yield MissingVersion(version.name, need.file, asking.path, provider.path)


def _unresolved(
    objects: list[Bound], by_name: Mapping[bytes, Bound | None], *, versions: bool
) -> Iterator[UnresolvedSymbol]:
    """Yield the symbols that relocations refer to and no object defines; ld.so itself is bound already."""
    asked = [(o, o.questions(versions=versions)) for o in objects if o.library.rule is not INTERPRETER]
    every = {question for _, questions in asked for question in questions}
    unanswered = _Scope(objects, by_name, versions=versions).unanswered(every)
    for asking, questions in asked:
        if unanswered.isdisjoint(questions):
            continue
        lacking = [(i, q) for i, q in zip(asking.indices, questions, strict=True) if q in unanswered]
        referred = asking.image.symbols.referenced_by_relocations([index for index, _ in lacking])
        seen = {question for index, question in lacking if index in referred}
        now = asking.image.dynamic is not None and asking.image.dynamic.bind_now
        for name, (version, file) in sorted(seen, key=lambda question: question[0]):
            yield UnresolvedSymbol(name, version, file, asking.path, now)


class _Scope:
    """The objects that references are looked up in."""

    def __init__(
        self, objects: list[Bound], by_name: Mapping[bytes, Bound | None], *, versions: bool
    ) -> None:
        self._objects = objects
        self._by_name = by_name
        self._versions = versions

    def unanswered(self, questions: Collection[Question]) -> set[Question]:
        """Return the references that no object defines."""
        codes = {question: gnu_hash(question[0]) for question in questions}
        holders = self._holders({code for (_, (_, file)), code in codes.items() if file is None})
        asked_of: dict[Bound | None, list[Question]] = {}
        for question, code in codes.items():
            file = question[1][1]
            likely = holders.get(code | 1) if file is None else self._by_name.get(file)
            asked_of.setdefault(likely, []).append(question)
        left = asked_of.pop(None, [])
        for likely, asked in asked_of.items():
            left += self._not_answered_by(likely, asked, codes)
        for provider in self._objects if left else ():
            left = self._not_answered_by(provider, left, codes)
        return set(left)

    def _not_answered_by(
        self, provider: Bound | None, questions: list[Question], codes: Mapping[Question, int]
    ) -> list[Question]:
        known = None if provider is None else provider.definitions
        if known is None:
            return questions
        found = known.find_each([(question[0], codes[question]) for question in questions])
        answer = known.match if self._versions else known.show
        return [q for q, same in zip(questions, found, strict=True) if not answer(same, q[1][0])]

    def _holders(self, codes: set[int]) -> dict[int, Bound]:
        """Return, for hashes of names, an object without versions that has the hash.

        Keys have their low bit set.
        """
        wanted = {code ^ low for code in codes for low in (0, 1)}
        holders: dict[int, Bound] = {}
        for provider in self._by_nearness():
            if not wanted:
                break
            if provider.unversioned and provider.definitions is not None:
                held = {code | 1 for code in wanted.intersection(provider.definitions.hashes())}
                holders.update(dict.fromkeys(held, provider))
                wanted -= held | {code ^ 1 for code in held}
        return holders

    def _by_nearness(self) -> list[Bound]:
        """Return the objects, those first that the referring objects name in DT_NEEDED.

        Nearly all of their symbols are defined there.
        """
        named = {name for asking in self._objects if asking.names for name in asking.library.needed}
        return sorted(self._objects, key=lambda provider: named.isdisjoint(provider.library.names))
