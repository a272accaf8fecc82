"""The check that a lock file's resolution belongs to the program that is to start (pure over a FileView).

A lock is followed as it stands. For another program, another build of it, or another place without the
libraries beside it, the start would fail later and with a less clear error. The inputs of a resolution are
compared: machine, dynamic linker, newest glibc version, and the sonames that nothing beside the program has.
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput, display
from denizen.machines import debian_name
from denizen.resolve.subject import examine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.resolve.resolution import Resolution
    from denizen.resolve.rule_packs import RulePacks
    from denizen.resolve.subject import Subject


class ForeignLock(BadInput):
    """The error that a lock was made for another program, or another build of it."""

    program: bytes
    reasons: tuple[str, ...]
    WHAT = "the lock file is not for {program}"
    REMEDY = "denizen lock {program} -o FILE makes one that is"

    @property
    def why(self) -> str:
        return "; ".join(self.reasons)


def must_apply(resolution: Resolution, view: FileView, program: bytes, rules: RulePacks) -> None:
    """Raise ForeignLock unless the resolution belongs to the program.

    Raises:
        ForeignLock: the resolution is of another program.
        OSError, BadInput: the program cannot be read.
    """
    subject = examine(view, [program], rules)
    reasons = tuple(_objections(resolution, subject)) if subject is not None else ()
    if reasons:
        raise ForeignLock(program, reasons)


def _objections(resolution: Resolution, subject: Subject) -> Iterator[str]:
    architecture = debian_name(subject.header.architecture)
    if architecture != resolution.architecture:
        yield f"it is for {resolution.architecture or 'no machine'}, the program for {architecture}"
        return
    named = resolution.interpreter[0] if resolution.interpreter is not None else b""
    if named and named != subject.interpreter:
        yield f"its dynamic linker is {display(named)}, the program's {display(subject.interpreter)}"
    if (subject.floor or ()) > (resolution.floor or ()):
        version = ".".join(map(str, subject.floor or ()))
        yield f"the program asks for GLIBC_{version}, and it was made for less"
    known = {choice.soname for choice in resolution.choices} | {one.soname for one in resolution.from_host}
    known |= {problem.subject for problem in resolution.problems}
    for soname in subject.outside:
        if soname not in known and not (subject.musl and soname.startswith(b"libc.musl-")):
            yield f"the program needs {display(soname)}, which it does not have"
    home = posixpath.dirname(subject.roots[0])
    for choice in resolution.choices:
        if not choice.package and not _is_there(subject.view, posixpath.join(home, choice.path)):
            yield f"{display(choice.path)} is not beside the program"


def _is_there(view: FileView, path: bytes) -> bool:
    try:
        view.stat(posixpath.normpath(path))
    except OSError:
        return False
    return True
