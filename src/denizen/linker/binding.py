"""Whether every version and every symbol a closure asks for is there: `bind` (pure).

Sources: versions, glibc elf/dl-version.c (match_symbol, _dl_check_map_versions); symbols, elf/dl-lookup.c
(check_match, do_lookup_x) over the objects in the order of the scope, for what relocations refer to, as
`ldd -r` reports it. musl knows no versions; its rule is ldso/dynlink.c, find_sym.

Where a definition is found does not matter here, only whether: so the file that the version names is
asked first, or for want of one whoever has the name's hash, and the whole scope only after them.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.elf.lookup import gnu_hash
from denizen.errors import BadInput
from denizen.linker.interpreter import Family
from denizen.linker.rules import INTERPRETER
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from denizen.elf import Image
    from denizen.linker.closure import Closure, Library

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
    """One object of the scope, and how it answers a reference."""

    def __init__(self, library: Library, image: Image, *, asks: bool) -> None:
        self.library = library
        self.image = image
        self.path = library.path or library.soname
        symbols = image.symbols
        self.references = symbols.strong_references if asks else ()
        self.version_indices = symbols.version_indices
        self.version_table = symbols.version_table
        self.unversioned = not image.version_definitions
        self.hashes = symbols.lookup.hashes
        self._find = symbols.lookup.find

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
    scope = _Scope(objects, by_name, versions=versions)
    for asking in objects:
        if asking.library.rule is INTERPRETER:
            continue
        lacking = list(scope.lacking(asking))
        if not lacking:
            continue
        referred = asking.image.symbols.referenced_by_relocations([index for index, *_ in lacking])
        seen = {(name, version, file) for index, name, version, file in lacking if index in referred}
        yield from (UnresolvedSymbol(*found, asking.path) for found in sorted(seen, key=lambda f: f[0]))


class _Scope:
    """Answers references; each question is asked of the objects once, however many ask it."""

    def __init__(
        self, objects: list[Bound], by_name: Mapping[bytes, Bound | None], *, versions: bool
    ) -> None:
        self._objects = objects
        self._by_name = by_name
        self._versions = versions
        self._known: dict[tuple[bytes, bytes | None, bytes | None], bool] = {}
        # Hash -> the first object without versions that has it: where references without one end.
        self._by_hash: dict[int, Bound] = {}
        for provider in reversed(objects):
            if provider.unversioned:
                self._by_hash.update(dict.fromkeys(provider.hashes(), provider))

    def lacking(self, asking: Bound) -> Iterator[tuple[int, bytes, bytes | None, bytes | None]]:
        """(index, name, version, file) of one object's references that nothing satisfies."""
        stated, table, known = asking.version_indices, asking.version_table, self._known
        if stated is None or not self._versions:
            table, stated = {}, None
        for index, name in asking.references:
            number = stated[index] & c.VERSYM_VERSION if stated is not None else 0
            version, file = table.get(number, _NO_VERSION)
            question = (name, version, file)
            answer = known.get(question)
            if answer is None:
                answer = known[question] = self._ask(question)
            if not answer:
                yield (index, *question)

    def _ask(self, question: tuple[bytes, bytes | None, bytes | None]) -> bool:
        """The likely object first: the file the version is asked of, or by hash; then all in order."""
        name, version, file = question
        code = gnu_hash(name)
        likely = self._by_hash.get(code | 1) if file is None else self._by_name.get(file)
        if likely is not None and self._answers(likely, name, code, version):
            return True
        return any(self._answers(provider, name, code, version) for provider in self._objects)

    def _answers(self, provider: Bound, name: bytes, code: int, version: bytes | None) -> bool:
        if not self._versions:
            return provider.shows(name, code)
        return provider.provides(name, code, version)
