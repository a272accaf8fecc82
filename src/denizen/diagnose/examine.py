"""The table of checks, and the report that they make of a program (pure over a FileView)."""

from __future__ import annotations

from denizen.diagnose import file_checks, file_handlers, library_checks, machine_checks
from denizen.diagnose.problem import Severity, error, quoted, warning
from denizen.diagnose.program_facts import gather
from denizen.elf.classify import LONG_LINE, ProgramKind
from denizen.elf.script import BUFFER_SIZE
from denizen.errors import display
from denizen.fileview import FileKind as EntryKind
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import HostWorld, ProgramFacts
    from denizen.diagnose.report import Report
    from denizen.fileview import FileView
    from denizen.host import Placement
    from denizen.launch.program import Program

# Kinds of files that are not programs: the sentence for each.
NOT_PROGRAMS: dict[ProgramKind, str] = {
    ProgramKind.LIBRARY: "a shared library: it is loaded by programs, not started",
    ProgramKind.RELOCATABLE: "an object file: it has to be linked into a program first",
    ProgramKind.KERNEL_MODULE: "a kernel module: modprobe loads it",
    ProgramKind.CORE: "a core dump: what a program left when it crashed",
    ProgramKind.OTHER_ELF: "an ELF file of a type that no loader starts",
    ProgramKind.ARCHIVE: "an archive of object files, for linking",
    ProgramKind.THIN_ARCHIVE: "an archive of object files, for linking",
}


def kind_of_file(subject: ProgramFacts) -> Iterator[Problem]:
    """Yield a problem for a file that is not a program."""
    name = display(subject.path)
    if subject.stat.kind is EntryKind.DIRECTORY:
        yield error("directory", f"{name} is a directory", "name the program inside it")
        return
    if subject.stat.kind is not EntryKind.FILE:
        yield error("not-a-file", f"{name} is a device, a socket or a pipe, not a program")
        return
    if not subject.placement.readable:
        yield error(
            "unreadable",
            f"{name} may not be read by this user, so nothing can be said about it",
            "ask its owner, or look as a user who may",
        )
        return
    yield from _kind_problem(subject, name)


def _kind_problem(subject: ProgramFacts, name: str) -> Iterator[Problem]:
    found = subject.classification
    if found.kind in NOT_PROGRAMS:
        make = warning if found.kind is ProgramKind.LIBRARY else error
        yield make("not-a-program", f"{name} is {NOT_PROGRAMS[found.kind]}")
    elif found.kind is ProgramKind.EMPTY:
        yield error("empty-file", f"{name} is empty", "download or copy it again")
    elif found.kind is ProgramKind.FORMAT:
        yield error(
            "not-a-program",
            f"{name} is not a Linux program: {found.format}",
            file_handlers.hint_for(subject.path, found.format),
        )
    elif found.format == LONG_LINE:
        yield error(
            "script-line-too-long",
            f"the first line of {name} names an interpreter beyond the {BUFFER_SIZE - 1} bytes that the "
            "kernel reads of it, so it sees none and says 'Exec format error'",
            "shorten it: a name by PATH (#!/usr/bin/env NAME), or a link with a short path",
        )
    elif found.kind is ProgramKind.TEXT:
        yield _text_problem(subject, name)
    elif found.kind is ProgramKind.UNKNOWN:
        yield error("not-a-program", f"{name} is neither an ELF file nor a script nor any format known here")


def _text_problem(subject: ProgramFacts, name: str) -> Problem:
    command = file_handlers.language_of(subject.path)
    first = command.partition(" ")[0] or "sh"
    line = "#!/bin/sh" if first == "sh" else f"#!/usr/bin/env {first}"
    run = f"{command} {quoted(name)}; or " if command else ""
    return error(
        "script-without-interpreter",
        f"{name} is text whose first line names no interpreter (#!/path/to/interpreter); the kernel "
        "refuses it with 'Exec format error', and only a shell would try to read it as its own script",
        f"{run}put its interpreter into the first line: {line}",
    )


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
    ("not-a-program", frozenset({"not-executable"})),
    # A user who has to name the interpreter need not make the script executable yet.
    ("script-without-interpreter", frozenset({"not-executable"})),
)


def examine(
    view: FileView, path: bytes, placement: Placement, world: HostWorld, known: Program | None = None
) -> Report:
    """Return the report on the program at `path` (absolute): all facts and all problems.

    Args:
        view: the file tree.
        path: the program's path.
        placement: the facts about the mount and the permissions of the file.
        world: the host on which it is examined.
        known: the program as it was read before, if it was.

    Raises:
        OSError: there is no such file, or it cannot be examined.
    """
    subject = gather(view, path, placement, world, known)
    checks = HANDLED if placement.handler else CHECKS
    found = [problem for check in checks for problem in check(subject)]
    codes = {problem.code for problem in found}
    shadowed = {code for cause, shadow in SHADOWS if cause in codes for code in shadow}
    kept = [problem for problem in found if problem.code not in shadowed]
    order = {severity: place for place, severity in enumerate(Severity)}
    kept.sort(key=lambda problem: order[problem.severity])
    return replace(subject.facts, problems=tuple(kept))
