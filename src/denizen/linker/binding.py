"""Whether every version and every symbol a closure asks for is there: `bind` (pure).

Sources: versions, glibc elf/dl-version.c (match_symbol, _dl_check_map_versions); symbols, elf/dl-lookup.c
(check_match, do_lookup_x) over the objects in the order of the scope, for what relocations refer to, as
`ldd -r` reports it. musl knows no versions; its rule is ldso/dynlink.c, find_sym.

Where a definition is found does not matter here, only whether: so the file that the version names is
asked first, or for want of one whoever has the name's hash, and the whole scope only after them. Each
question is asked once, however many objects have it.
"""

from __future__ import annotations

from itertools import repeat

from denizen.elf import constants as c
from denizen.elf.lookup import gnu_hash
from denizen.elf.once import once
from denizen.errors import BadInput
from denizen.linker.interpreter import Family
from denizen.linker.rule_tables import INTERPRETER
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from denizen.elf import Image
    from denizen.linker.closure import Closure, LoadedLibrary

    # Name; version and file, None where none is stated.
    Question: TypeAlias = tuple[bytes, tuple[bytes | None, bytes | None]]

# Below this index a definition is its object's oldest; references that name no version take it.
FIRST_NAMED_INDEX = 3
_NO_VERSION: tuple[None, None] = (None, None)


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
class DamagedTable:
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
    damaged: tuple[DamagedTable, ...] = ()


def bind(closure: Closure, asking: Collection[LoadedLibrary] | None = None) -> Binding:
    """Check the versions that every object in the closure's scope needs, then the symbols it refers to.

    Args:
        closure: a program and all it loads.
        asking: the objects whose symbols are looked up (`vouching.foreign`); None: all.
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
    """Those that turned out to be when they were asked."""
    return [DamagedTable(o.path, str(o.fault)) for o in objects if o.fault is not None]


class Bound:
    """One object of the scope, and how it answers a reference.

    Of one that does not ask, nothing but versions is read before it is asked: of the 60 libraries of a
    program that its distribution built, 40 never are.

    Attributes:
        indices, names: its references, as columns; none where it does not ask.
        unversioned: it defines no versions.
        fault: why its tables cannot be read, known when it is asked.
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
        """What it defines; None where a table is broken, and then it defines nothing."""
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
        """Each of its references, with the version and file it names if these count."""
        if not self.names:
            return []
        symbols, table = self.image.symbols, self.image.symbols.version_table
        pairs: Iterable[tuple[bytes | None, bytes | None]] = repeat(_NO_VERSION, len(self.names))
        if versions and symbols.version_indices is not None:
            stated = symbols.version_indices
            pairs = [table.get(stated[index] & c.VERSYM_VERSION, _NO_VERSION) for index in self.indices]
        return list(zip(self.names, pairs, strict=True))

    def provides(self, name: bytes, code: int, version: bytes | None) -> bool:
        """Whether it has a definition for this reference; `code` is the gnu_hash of its name."""
        known = self.definitions
        return known is not None and known.match(known.find(name, code), version)


class Definitions:
    """What one object defines, and which of that a reference means. Raises BadInput."""

    def __init__(self, image: Image) -> None:
        self._versions = image.symbols.version_indices
        self._table = image.symbols.version_table
        self.find = image.symbols.lookup.find
        self.find_each = image.symbols.lookup.find_each
        self.hashes = image.symbols.lookup.hashes

    def match(self, found: list[int], version: bytes | None) -> bool:
        """check_match: one of these is in that version, or in none that would be another's."""
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
        """The find_sym of musl: one of these is not hidden behind a newer version."""
        versions = self._versions
        return any(versions is None or versions[index] < c.VERSYM_HIDDEN for index in found)


def objects_of(
    closure: Closure, asking: Collection[LoadedLibrary] | None = None
) -> tuple[list[Bound], tuple[DamagedTable, ...]]:
    """The scope's objects whose symbols can be read, and those whose cannot; only `asking` refer to any."""
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
    """find_needed: the first in load order that goes by a name; None: one that was not found."""
    made = {id(o.library): o for o in objects}
    named: dict[bytes, Bound | None] = {}
    for library in (closure.program, *closure.libraries):
        for name in library.names:
            named.setdefault(name, made.get(id(library)))
    return named


def _missing_versions(asking: Bound, by_name: Mapping[bytes, Bound | None]) -> Iterator[MissingVersion]:
    """match_symbol for each version one object needs."""
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
    """What no object defines, of what relocations refer to; ld.so itself is bound already."""
    asked = [(o, o.questions(versions=versions)) for o in objects if o.library.rule is not INTERPRETER]
    every = {question for _, questions in asked for question in questions}
    unanswered = _Scope(objects, by_name, versions=versions).unanswered(every)
    for asking, questions in asked:
        if unanswered.isdisjoint(questions):
            continue
        lacking = [(i, q) for i, q in zip(asking.indices, questions, strict=True) if q in unanswered]
        referred = asking.image.symbols.referenced_by_relocations([index for index, _ in lacking])
        seen = {question for index, question in lacking if index in referred}
        for name, (version, file) in sorted(seen, key=lambda question: question[0]):
            yield UnresolvedSymbol(name, version, file, asking.path)


class _Scope:
    """Who answers references."""

    def __init__(
        self, objects: list[Bound], by_name: Mapping[bytes, Bound | None], *, versions: bool
    ) -> None:
        self._objects = objects
        self._by_name = by_name
        self._versions = versions

    def unanswered(self, questions: Collection[Question]) -> set[Question]:
        """Those that no object answers."""
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
        """Hash with its low bit set -> an object without versions that has it."""
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
        """What the asking objects were linked with is where nearly all of their names are."""
        named = {name for asking in self._objects if asking.names for name in asking.library.needed}
        return sorted(self._objects, key=lambda provider: named.isdisjoint(provider.library.names))
