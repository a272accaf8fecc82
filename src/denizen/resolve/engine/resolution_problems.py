"""The problems that an attempt leaves, in words: requirements that nothing satisfies (pure)."""

from __future__ import annotations

from denizen.errors import display
from denizen.resolve.engine.portable_paths import from_program
from denizen.resolve.resolution import ProblemKind, ResolutionProblem
from denizen.resolve.sysroot_view import LIBRARIES
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from denizen.linker import Binding
    from denizen.resolve.engine.attempt import Attempt
    from denizen.resolve.subject import Subject


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
        problems += [ResolutionProblem(ProblemKind.STACK, path, b"", stack) for path in subject.stacked]
    for problem in dict.fromkeys(problems):
        needed_by = from_program(subject, problem.needed_by)
        if problem.kind is ProblemKind.INTERPRETER:
            yield replace(problem, needed_by=needed_by)
        else:
            yield replace(problem, subject=from_program(subject, problem.subject), needed_by=needed_by)


def _interpreter(subject: Subject, attempt: Attempt) -> Iterator[ResolutionProblem]:
    if subject.host is None and subject.interpreter and attempt.interpreter_choice() is None:
        detail = f"no package of {attempt.suites} has this dynamic linker"
        yield ResolutionProblem(ProblemKind.INTERPRETER, subject.interpreter, subject.roots[0], detail)


def _binding_problems(
    binding: Binding, told: Collection[bytes], subject: Subject
) -> Iterator[ResolutionProblem]:
    """Yield the linker model's errors that do not follow from a problem reported already (`told`)."""
    for missing in binding.missing_versions:
        if missing.file not in told:
            where = display(missing.provider or missing.file).removeprefix(display(LIBRARIES) + "/")
            detail = f"{where} does not define it"
            yield ResolutionProblem(ProblemKind.VERSION, missing.version, missing.needed_by, detail)
    for symbol in binding.unresolved:
        if symbol.file is None and subject.is_plugin(symbol.needed_by):
            continue
        # The symbols of a missing library are missing too; an unversioned symbol may be of any of those.
        if symbol.file not in told and not (told and symbol.file is None):
            detail = f"asked of {display(symbol.file)}" if symbol.file else "no library defines it"
            yield ResolutionProblem(ProblemKind.SYMBOL, symbol.name, symbol.needed_by, detail)
    for damaged in binding.damaged:
        yield ResolutionProblem(ProblemKind.UNREADABLE, damaged.path, b"", damaged.problem)
