"""Paths in a resolution that hold on any machine: relative to the program's directory (pure)."""

from __future__ import annotations

import posixpath

from denizen.errors import display
from denizen.resolve.resolution import FromHost, LeftOut, ProviderChoice
from denizen.resolve.sysroot_view import LIBRARIES
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.resolve.subject import Subject


def portable(subject: Subject, choice: ProviderChoice) -> ProviderChoice:
    """Return the choice with paths relative to the program's directory."""
    path = choice.path if choice.package else from_program(subject, choice.path)
    return replace(choice, path=path, needed_by=from_program(subject, choice.needed_by))


def portable_host(subject: Subject, one: FromHost) -> FromHost:
    """Return the host's library with the asker's path relative to the program's directory."""
    return replace(one, needed_by=from_program(subject, one.needed_by))


def omissions_of(subject: Subject, left_out: Iterable[LeftOut]) -> Iterator[LeftOut]:
    """Yield the libraries that were left out, with paths relative to the program's directory.

    Libraries of a needed name in directories that many programs share are included.
    """
    for one in left_out:
        yield replace(one, needed_by=from_program(subject, one.needed_by))
    for soname, by in subject.outside.items():
        if (path := subject.bundle.stranger(soname, subject.header)) is not None:
            where = display(from_program(subject, path))
            reason = f"{where} lies in a directory that many programs share; it is not taken for this one's"
            yield LeftOut(soname, from_program(subject, by), reason)


def from_program(subject: Subject, name: bytes) -> bytes:
    """Return a path relative to the program's directory; a soname is returned unchanged.

    A chosen library in the model's directory becomes its soname.
    """
    if name.startswith(LIBRARIES + b"/"):
        return name.removeprefix(LIBRARIES + b"/")
    if not name.startswith(b"/"):
        return name
    return posixpath.relpath(name, posixpath.dirname(subject.roots[0]))
