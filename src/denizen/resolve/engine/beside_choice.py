"""The choice of files beside the program: when each comes, before packages or after them.

A library beside the program that its run path does not reach comes before every package, and so does one that
it opens at run time; a file that only its DT_SONAME names comes after every package (`unproven`). Which files
beside a program count as its own says resolve/shipped_libraries.py.
"""

from __future__ import annotations

from denizen.resolve.engine.attempt import SonameRequest
from denizen.resolve.resolution import ChoiceRule, ProblemKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.resolve.engine.attempt import Attempt
    from denizen.resolve.resolution import DlopenName
    from denizen.resolve.subject import Subject


def place_own(attempt: Attempt, subject: Subject) -> None:
    """Choose the libraries beside the program that its run path does not reach."""
    for soname, path in subject.beside.items():
        attempt.place_beside(soname, path)


def place_unproven(attempt: Attempt, subject: Subject) -> None:
    """Choose a file beside the program by its DT_SONAME, for a soname that no package has."""
    for kind, soname in tuple(attempt.problems):
        path = subject.bundle.unproven(soname, subject.header)
        if kind is ProblemKind.LIBRARY and path is not None:
            del attempt.problems[kind, soname]
            attempt.place_beside(soname, path, rule=ChoiceRule.UNPROVEN)


def place_opened(attempt: Attempt, subject: Subject, wish: DlopenName) -> bool:
    """Choose the library beside the program that it opens at run time; return whether there is one."""
    for name in wish.sonames:
        if (path := subject.bundle.find(name, subject.header)) is not None:
            _place_with_needed(attempt, subject, name, path, wish.origin)
            return True
    return False


def _place_with_needed(attempt: Attempt, subject: Subject, soname: bytes, path: bytes, origin: str) -> None:
    """Choose a library beside the program that it opens at run time, with the libraries it needs."""
    pending = {soname: path}
    while pending:
        name, here = pending.popitem()
        attempt.place_beside(name, here, origin)
        dynamic = subject.view.image(here).dynamic
        needed = [n for n in (dynamic.needed if dynamic else ()) if not attempt.is_settled(n)]
        lying = {n: found for n in needed if (found := subject.bundle.find(n, subject.header))}
        pending |= lying
        attempt.provide(
            [SonameRequest(n, here, b"", origin, optional=True) for n in needed if n not in lying]
        )
