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
from denizen.errors import BadInput
from denizen.linker.interpreter import Family
from denizen.linker.rules import INTERPRETER
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from denizen.elf import Image
    from denizen.linker.closure import Closure, Library

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


def bind(closure: Closure, asking: Collection[Library] | None = None) -> Binding:
    """Check the versions that every object in the closure's scope needs, then the symbols it refers to.

    Args:
        closure: a program and all it loads.
        asking: the objects whose symbols are looked up (`vouching.foreign`); None: all.
    """
    objects, damaged = objects_of(closure, asking)
    if closure.interpreter.family is Family.MUSL:
        return Binding(unresolved=tuple(_unresolved(objects, {}, versions=False)), damaged=damaged)
    by_name = objects_by_name(closure, objects)
    asked = [o for o in objects if o.library.rule is not INTERPRETER]
    missing = [lack for o in asked for lack in _missing_versions(o, by_name)]
    return Binding(
        tuple(lack for lack in missing if not lack.unversioned),
        tuple(lack for lack in missing if lack.unversioned),
        tuple(_unresolved(objects, by_name, versions=True)),
        damaged,
    )


class Bound:
    """One object of the scope, and how it answers a reference.

    Attributes:
        indices, names: its references, as columns; none where it is not asked for them.
    """

    def __init__(self, library: Library, image: Image, *, asks: bool) -> None:
        self.library = library
        self.image = image
        self.path = library.path or library.soname
        symbols = image.symbols
        self.indices: Sequence[int] = ()
        self.names: Sequence[bytes] = ()
        if asks:
            self.indices, self.names = symbols.strong_references
        self.version_indices = symbols.version_indices
        self.version_table = symbols.version_table
        self.unversioned = not image.version_definitions
        self.hashes = symbols.lookup.hashes
        self._find = symbols.lookup.find

    def questions(self, *, versions: bool) -> list[Question]:
        """Each of its references, with the version and file it names if these count."""
        pairs: Iterable[tuple[bytes | None, bytes | None]] = repeat(_NO_VERSION, len(self.names))
        if versions and self.version_indices is not None:
            stated, table = self.version_indices, self.version_table
            pairs = [table.get(stated[index] & c.VERSYM_VERSION, _NO_VERSION) for index in self.indices]
        return list(zip(self.names, pairs, strict=True))

    def provides(self, name: bytes, code: int, version: bytes | None) -> bool:
        """check_match: a definition of the name in that version, or in none that would be another's."""
        versions = self.version_indices
        if versions is None:
            return bool(self._find(name, code))
        shown = 0
        for index in self._find(name, code):
            stated = versions[index]
            number = stated & c.VERSYM_VERSION
            if version is None:
                if number < FIRST_NAMED_INDEX:
                    return True
                shown += stated == number
            else:
                here = self.version_table.get(number, _NO_VERSION)[0]
                if here == version or (here is None and stated == number):
                    return True
        return shown == 1

    def shows(self, name: bytes, code: int) -> bool:
        """The find_sym of musl: any definition that is not hidden behind a newer version."""
        versions = self.version_indices
        return any(versions is None or versions[i] < c.VERSYM_HIDDEN for i in self._find(name, code))


def objects_of(
    closure: Closure, asking: Collection[Library] | None = None
) -> tuple[list[Bound], tuple[Damaged, ...]]:
    """The scope's objects whose symbols can be read, and those whose cannot; only `asking` refer to any."""
    wanted = None if asking is None else {id(library) for library in asking}
    objects: list[Bound] = []
    damaged: list[Damaged] = []
    for library in closure.scope:
        if library.image is None:
            continue
        try:
            made = Bound(library, library.image, asks=wanted is None or id(library) in wanted)
        except BadInput as fault:
            damaged.append(Damaged(library.path or library.soname, str(fault)))
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
        unlikely: list[Question] = []
        for question, code in codes.items():
            file = question[1][1]
            likely = holders.get(code | 1) if file is None else self._by_name.get(file)
            if likely is None or not self._answers(likely, question, code):
                unlikely.append(question)
        return {
            question
            for question in unlikely
            if not any(self._answers(provider, question, codes[question]) for provider in self._objects)
        }

    def _holders(self, codes: set[int]) -> dict[int, Bound]:
        """Hash with its low bit set -> the first object without versions that has it."""
        wanted = {code ^ low for code in codes for low in (0, 1)}
        holders: dict[int, Bound] = {}
        for provider in self._objects:
            if provider.unversioned:
                held = {code | 1 for code in wanted.intersection(provider.hashes())}
                holders.update(dict.fromkeys(held, provider))
                wanted -= held | {code ^ 1 for code in held}
        return holders

    def _answers(self, provider: Bound, question: Question, code: int) -> bool:
        name, (version, _) = question
        if not self._versions:
            return provider.shows(name, code)
        return provider.provides(name, code, version)
