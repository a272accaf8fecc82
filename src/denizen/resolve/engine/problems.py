"""The result of an attempt: problems in words, and paths that hold on any machine (pure)."""

from __future__ import annotations

import posixpath

from denizen.errors import display
from denizen.resolve.resolution import FromHost, Lack, LeftOut, ProviderChoice, ResolutionProblem
from denizen.resolve.sysroot_view import LIBRARIES
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from denizen.linker import Binding
    from denizen.resolve.engine.attempt import Attempt
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


def problems_of(
    subject: Subject, attempt: Attempt, bindings: Sequence[Binding], stack: str
) -> Iterator[ResolutionProblem]:
    """Yield every problem that is left, each once.

    `stack` is the reason why the C library refuses executable stacks, or "".
    """
    problems = [*attempt.problems.values(), *_interpreter(subject, attempt)]
    told = {problem.subject for problem in problems} | set(attempt.from_host)
    for binding in bindings:
        problems += _binding_problems(binding, told, subject)
    if stack:
        problems += [ResolutionProblem(Lack.STACK, path, b"", stack) for path in subject.stacked]
    for problem in dict.fromkeys(problems):
        needed_by = from_program(subject, problem.needed_by)
        if problem.lack is Lack.INTERPRETER:
            yield replace(problem, needed_by=needed_by)
        else:
            yield replace(problem, subject=from_program(subject, problem.subject), needed_by=needed_by)


def _interpreter(subject: Subject, attempt: Attempt) -> Iterator[ResolutionProblem]:
    if subject.host is None and subject.interpreter and attempt.interpreter_choice() is None:
        detail = f"no package of {attempt.suites} has this dynamic linker"
        yield ResolutionProblem(Lack.INTERPRETER, subject.interpreter, subject.roots[0], detail)


def _binding_problems(
    binding: Binding, told: Collection[bytes], subject: Subject
) -> Iterator[ResolutionProblem]:
    """Yield the linker model's errors that do not follow from a problem reported already (`told`)."""
    for lack in binding.missing_versions:
        if lack.file not in told:
            where = display(lack.provider or lack.file).removeprefix(display(LIBRARIES) + "/")
            yield ResolutionProblem(Lack.VERSION, lack.version, lack.needed_by, f"{where} does not define it")
    for symbol in binding.unresolved:
        if symbol.file is None and subject.is_plugin(symbol.needed_by):
            continue
        # The symbols of a missing library are missing too; an unversioned symbol may be of any of those.
        if symbol.file not in told and not (told and symbol.file is None):
            detail = f"asked of {display(symbol.file)}" if symbol.file else "no library defines it"
            yield ResolutionProblem(Lack.SYMBOL, symbol.name, symbol.needed_by, detail)
    for damaged in binding.damaged:
        yield ResolutionProblem(Lack.UNREADABLE, damaged.path, b"", damaged.problem)
