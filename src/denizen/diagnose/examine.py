"""The table of checks, and the report that they make of a program (pure over a FileView)."""

from __future__ import annotations

from denizen.diagnose import file_checks, library_checks, machine_checks
from denizen.diagnose.problem import Severity, error
from denizen.diagnose.program_facts import gather
from denizen.elf.classify import ProgramKind
from denizen.errors import display
from denizen.fileview import FileKind as EntryKind
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import HostContext, ProgramFacts
    from denizen.diagnose.report import Report
    from denizen.file_placement import Placement
    from denizen.fileview import FileView
    from denizen.launch.program import Program

# Kinds that this table's other checks are about; `kind_checks` has a sentence for each other kind.
PROGRAMS = frozenset(
    {
        ProgramKind.DYNAMIC, ProgramKind.STATIC, ProgramKind.STATIC_PIE, ProgramKind.GO_STATIC,
        ProgramKind.SCRIPT, ProgramKind.BROKEN_ELF,
    }
)  # fmt: skip


def kind_of_file(subject: ProgramFacts) -> Iterator[Problem]:
    """Yield a problem for a file that is not a program."""
    readable = subject.stat.kind is EntryKind.FILE and subject.placement.readable
    if not (readable and subject.classification.kind in PROGRAMS):
        from denizen.diagnose import kind_checks  # 0.3 ms that programs do not pay

        yield from kind_checks.kind_of_file(subject)


def damage(subject: ProgramFacts) -> Iterator[Problem]:
    """Yield a problem for each file of the closure that breaks its own format."""
    for path, sentence in subject.damage:
        yield error(
            "damaged",
            f"{display(path)} is damaged: {sentence}",
            "install or download it again",
        )


def interpreter_line(subject: ProgramFacts) -> Iterator[Problem]:
    """Yield the problems of a script's first line."""
    if subject.steps:
        from denizen.diagnose import script_checks  # 0.2 ms that only scripts pay

        yield from script_checks.interpreter_line(subject)


# In the order of output: the check whose failure a start meets first comes first.
CHECKS: tuple[Callable[[ProgramFacts], Iterator[Problem]], ...] = (
    kind_of_file,
    file_checks.wholeness,
    file_checks.segments,
    file_checks.execute_permission,
    file_checks.noexec_mount,
    machine_checks.architecture,
    damage,
    interpreter_line,
    library_checks.interpreter,
    machine_checks.kernel_release,
    machine_checks.processor_level,
    library_checks.libraries,
    library_checks.versions,
    library_checks.symbols,
    library_checks.executable_stack,
    file_checks.set_user_id,
    file_checks.payload,
)

# Checks of a file that binfmt_misc gives to a program of its own; the others do not apply.
HANDLED: tuple[Callable[[ProgramFacts], Iterator[Problem]], ...] = (
    file_checks.handler,
    file_checks.execute_permission,
    file_checks.noexec_mount,
)

# (cause, consequences): where the first is found the others are left out.
SHADOWS: tuple[tuple[str, frozenset[str]], ...] = (
    ("directory", frozenset({"not-executable", "noexec-mount"})),
    ("not-a-file", frozenset({"not-executable", "noexec-mount"})),
    ("empty-file", frozenset({"not-executable"})),
    ("file-cut-short", frozenset({"damaged", "symbol-missing"})),
    (
        "wrong-machine",
        frozenset(
            {
                "interpreter-missing",
                "interpreter-unusable",
                "library-missing",
                "version-missing",
                "symbol-missing",
                "glibc-too-old",
                "libstdcxx-too-old",
                "executable-stack",
                "kernel-too-old",
            }
        ),
    ),
    # An object file has no segments.
    ("not-a-program", frozenset({"not-executable", "damaged"})),
    # A user who has to name the interpreter need not make the script executable yet.
    ("script-without-interpreter", frozenset({"not-executable"})),
)


def examine(
    view: FileView, path: bytes, placement: Placement, context: HostContext, known: Program | None = None
) -> Report:
    """Return the report on the program at `path` (absolute): all facts and all problems.

    Args:
        view: the file tree.
        path: the program's path.
        placement: the facts about the mount and the permissions of the file.
        context: the host on which it is examined.
        known: the program as it was read before, if it was.

    Raises:
        OSError: there is no such file, or it cannot be examined.
    """
    return report_on(gather(view, path, placement, context, known))


def report_on(subject: ProgramFacts) -> Report:
    """Return the report on a program whose facts are known: these, and all problems."""
    checks = HANDLED if subject.placement.handler else CHECKS
    found = [problem for check in checks for problem in check(subject)]
    codes = {problem.code for problem in found}
    shadowed = {code for cause, shadow in SHADOWS if cause in codes for code in shadow}
    kept = [problem for problem in found if problem.code not in shadowed]
    order = {severity: place for place, severity in enumerate(Severity)}
    kept.sort(key=lambda problem: order[problem.severity])
    return replace(subject.facts, problems=tuple(kept))
