"""References that bind to another object than the one they were linked against (pure).

Source: glibc elf/dl-lookup.c, do_lookup_x: the first object of the scope that check_match accepts wins, and
an object without versions is accepted for any version. So a preload, the program itself or a second
copy of a library can take the place of the file that DT_VERNEED names. Often that is intended (malloc); a
symbol bound to a stray copy of a library makes programs crash although no library is missing.

Not part of `bind`: it looks in every object before the expected one, and a start does not depend on it.
"""

from __future__ import annotations

from denizen.elf.symbol_lookup import gnu_hash
from denizen.linker.binding import objects_by_name, objects_of
from denizen.linker.rule_tables import INTERPRETER
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.linker.binding import Bound
    from denizen.linker.closure import Closure


class Interposed(Value):
    """One reference of `needed_by` to a symbol of `file` that binds to another object.

    Attributes:
        name, version, file: the symbol, its version, and the soname it is needed of.
        needed_by: path of the referring object.
        expected: path of the library loaded for `file`.
        bound_to: path of the object that comes first in the scope.
    """

    name: bytes
    version: bytes
    file: bytes
    needed_by: bytes
    expected: bytes
    bound_to: bytes


def interposed(closure: Closure) -> tuple[Interposed, ...]:
    """Return every versioned reference in a closure of glibc's that binds to an object before its file."""
    objects, _ = objects_of(closure)
    named = objects_by_name(closure, objects)
    place = {id(provider): number for number, provider in enumerate(objects)}
    found: list[Interposed] = []
    known: dict[tuple[bytes, bytes, bytes], Bound | None] = {}
    for asking in objects:
        if asking.library.rule is INTERPRETER:
            continue
        for name, version, file in _versioned(asking):
            expected = named.get(file)
            if expected is None:
                continue
            question = (name, version, file)
            if question not in known:
                known[question] = _first(objects[: place[id(expected)]], name, version)
            other = known[question]
            if other is not None:
                found.append(Interposed(name, version, file, asking.path, expected.path, other.path))
    return tuple(found)


def _versioned(asking: Bound) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield (name, version, file) of the references that name a file."""
    for name, (version, file) in asking.questions(versions=True):
        if version is not None and file is not None:
            yield name, version, file


def _first(objects: Sequence[Bound], name: bytes, version: bytes) -> Bound | None:
    code = gnu_hash(name)
    return next((provider for provider in objects if provider.provides(name, code, version)), None)
