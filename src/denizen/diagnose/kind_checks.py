"""The checks of files that are no programs: directories, libraries, archives, text, other formats (pure)."""

from __future__ import annotations

from denizen.diagnose import file_handlers
from denizen.diagnose.problem import error, warning
from denizen.diagnose.script_checks import no_interpreter_line, too_long_first_line
from denizen.elf.classify import LONG_LINE, ProgramKind
from denizen.errors import display
from denizen.fileview import FileKind as EntryKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import ProgramFacts
    from denizen.elf import Classification

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

# What else is no program, for a sentence that begins with "it is".
_OTHERS: dict[ProgramKind, str] = {
    ProgramKind.EMPTY: "empty",
    ProgramKind.TEXT: "text whose first line names no interpreter (#!/path/to/interpreter)",
    ProgramKind.UNKNOWN: "neither an ELF file nor a script nor any format known here",
}


def why_no_program(found: Classification) -> str:
    """Return why a file of this kind is neither a program nor a library, "" where it is one of both."""
    if found.kind is ProgramKind.LIBRARY:
        return ""
    if found.kind is ProgramKind.BROKEN_ELF:
        return f"it is damaged: {found.problem}"
    if found.kind is ProgramKind.FORMAT:
        return f"it is not a Linux program: {found.format}"
    what = NOT_PROGRAMS.get(found.kind) or _OTHERS.get(found.kind)
    return f"it is {what}" if what else ""


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
        yield too_long_first_line(name)
    elif found.kind is ProgramKind.TEXT:
        yield no_interpreter_line(subject)
    elif found.kind is ProgramKind.UNKNOWN:
        yield error("not-a-program", f"{name} is {_OTHERS[found.kind]}")
