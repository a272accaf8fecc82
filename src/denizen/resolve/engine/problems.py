"""How an attempt ends: what stays open, in words, and paths as they are on any machine (pure)."""

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
    """The choice with paths from the program's directory."""
    path = choice.path if choice.package else from_program(subject, choice.path)
    return replace(choice, path=path, needed_by=from_program(subject, choice.needed_by))


def portable_host(subject: Subject, one: FromHost) -> FromHost:
    """The same for what the host has."""
    return replace(one, needed_by=from_program(subject, one.needed_by))


def omissions_of(subject: Subject, left_out: Iterable[LeftOut]) -> Iterator[LeftOut]:
    """Yield what was left out, paths from the program's directory, and copies in shared places."""
    for one in left_out:
        yield replace(one, needed_by=from_program(subject, one.needed_by))
    for soname, by in subject.outside.items():
        if (path := subject.bundle.stranger(soname, subject.header)) is not None:
            where = display(from_program(subject, path))
            reason = f"{where} lies in a directory that many programs share; it is not taken for this one's"
            yield LeftOut(soname, from_program(subject, by), reason)


def from_program(subject: Subject, name: bytes) -> bytes:
    """A path from the program's directory; a soname, or a library of the world by its soname."""
    if name.startswith(LIBRARIES + b"/"):
        return name.removeprefix(LIBRARIES + b"/")
    if not name.startswith(b"/"):
        return name
    return posixpath.relpath(name, posixpath.dirname(subject.roots[0]))


def problems_of(
    subject: Subject, attempt: Attempt, bindings: Sequence[Binding], stack: str
) -> Iterator[ResolutionProblem]:
    """Everything that stays open, each once; `stack`: why the C library refuses executable stacks, or ""."""
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
    """The model's complaints that are not a consequence of what was told already."""
    for lack in binding.missing_versions:
        if lack.file not in told:
            where = display(lack.provider or lack.file).removeprefix(display(LIBRARIES) + "/")
            yield ResolutionProblem(Lack.VERSION, lack.version, lack.needed_by, f"{where} does not define it")
    for symbol in binding.unresolved:
        if symbol.file is None and subject.is_plugin(symbol.needed_by):
            continue
        # A library that is not there lacks its symbols too; without a version nobody knows whose it is.
        if symbol.file not in told and not (told and symbol.file is None):
            detail = f"asked of {display(symbol.file)}" if symbol.file else "no library defines it"
            yield ResolutionProblem(Lack.SYMBOL, symbol.name, symbol.needed_by, detail)
    for damaged in binding.damaged:
        yield ResolutionProblem(Lack.UNREADABLE, damaged.path, b"", damaged.problem)
