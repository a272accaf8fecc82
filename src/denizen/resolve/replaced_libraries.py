"""Libraries that came with a program, cannot be satisfied, and are replaced by packages' libraries (pure).

A bundle is often incomplete: a library in it needs another that was not shipped and that no package has, or a
glibc version that no suite has. Where a package has a library of the same name, that is used instead.
"""

from __future__ import annotations

import posixpath

from denizen.errors import display
from denizen.resolve.engine.portable_paths import from_program
from denizen.resolve.resolution import ChoiceRule, LeftOut
from denizen.resolve.resolution_summary import sentence
from denizen.resolve.sysroot_view import LIBRARIES
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.resolve.engine.catalogue import ProviderCatalogue
    from denizen.resolve.resolution import Resolution, ResolutionProblem
    from denizen.resolve.subject import Subject


class UnsatisfiedLibrary(Value):
    """A library beside the program that cannot be satisfied.

    Attributes:
        soname: its name.
        path: of the file, resolved.
        shown: the path relative to the program's directory.
        found: the program's run path leads to it, so that its replacement has to be loaded before it.
        reason: the problem that it causes, in words.
    """

    soname: bytes
    path: bytes
    shown: bytes
    found: bool
    reason: str


def blamed(subject: Subject, made: Resolution, catalogue: ProviderCatalogue) -> list[UnsatisfiedLibrary]:
    """Return the program's own libraries that cause a problem, nearest first, if a package has them too."""
    found: dict[bytes, UnsatisfiedLibrary] = {}
    for problem in made.problems:
        if problem.kind.stops_start:
            for path in _askers(subject, problem):
                soname = _soname(subject, path)
                if soname and catalogue.knows(soname):
                    one = _blame(subject, path, soname, problem)
                    found.setdefault(one.path, one)
                    break
    return list(found.values())


def instead(made: Resolution, yielded: Sequence[UnsatisfiedLibrary]) -> Resolution:
    """Return the resolution with packages' libraries in place of `yielded`, and the reasons added.

    The replacements are loaded before the libraries that they replace.
    """
    if not yielded:
        return made
    names = {one.soname for one in yielded}
    chosen = {choice.soname for choice in made.choices if choice.package}
    early = [one.soname for one in yielded if one.found and one.soname in chosen]
    return replace(
        made,
        choices=tuple(
            replace(one, rule=ChoiceRule.INSTEAD) if one.package and one.soname in names else one
            for one in made.choices
        ),
        override=tuple(dict.fromkeys((*made.override, *early))),
        left_out=tuple(
            sorted(
                (*made.left_out, *(LeftOut(one.soname, one.shown, one.reason) for one in yielded)),
                key=lambda one: one.soname,
            )
        ),
    )


def _askers(subject: Subject, problem: ResolutionProblem) -> Iterator[bytes]:
    """Yield the own objects that cause the problem, then the objects that need those, up to the roots."""
    level = [path for path in subject.own if from_program(subject, path) == problem.needed_by]
    seen: set[bytes] = set()
    while level:
        seen.update(level)
        yield from (path for path in level if path not in subject.loaded)
        names = {_soname(subject, path) for path in level}
        level = [
            path
            for path, image in subject.own.items()
            if path not in seen and image.dynamic and not names.isdisjoint(image.dynamic.needed)
        ]


def _soname(subject: Subject, path: bytes) -> bytes:
    dynamic = subject.own[path].dynamic
    return (dynamic and dynamic.soname) or posixpath.basename(path)


def _blame(subject: Subject, path: bytes, soname: bytes, problem: ResolutionProblem) -> UnsatisfiedLibrary:
    is_found = not path.startswith(LIBRARIES + b"/")
    real = subject.view.realpath(path if is_found else subject.beside[posixpath.basename(path)])
    shown = from_program(subject, real)
    reason = f"{display(shown)} came with the program and cannot be satisfied: {sentence(problem)}"
    return UnsatisfiedLibrary(soname, real, shown, is_found, reason)
