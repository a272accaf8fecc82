"""Checks on a script's interpreter line: there is none, it is too long, it names nothing that starts (pure).

Linux, fs/binfmt_script.c: the line is cut at 255 bytes, leading blanks are skipped, everything after
the interpreter is one argument. A missing interpreter makes execve of the script itself fail with
ENOENT, which a shell reports as if the script were missing. An interpreter may be a script itself (fs/exec.c,
exec_binprm), down to a depth. What runs a text that has no such line is told by file_handlers.py.
"""

from __future__ import annotations

from denizen.diagnose import file_handlers
from denizen.diagnose.problem import error, warning
from denizen.diagnose.script_steps import ABSENT
from denizen.elf.classify import ProgramKind
from denizen.elf.script import BUFFER_SIZE, MAX_STEPS
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import ProgramFacts
    from denizen.diagnose.script_steps import Step


def interpreter_line(subject: ProgramFacts) -> Iterator[Problem]:
    """Check each step from the script to a program that can run, until one fails."""
    script = subject.classification.script
    if script is not None and script.cut:
        yield warning(
            "script-line-too-long",
            f"the first line of {display(subject.path)} is longer than the {BUFFER_SIZE - 1} bytes that the "
            "kernel reads of it; its interpreter does not get the rest",
            "shorten it: a name by PATH (#!/usr/bin/env NAME), options in the script itself",
        )
    for step in subject.steps:
        yield from _step(step)
    if subject.steps and subject.steps[-1].fault is None:
        yield from _end(subject, subject.steps[-1])


def too_long_first_line(name: str) -> Problem:
    """Return the problem of a script whose interpreter's name is beyond what the kernel reads."""
    return error(
        "script-line-too-long",
        f"the first line of {name} names an interpreter beyond the {BUFFER_SIZE - 1} bytes that the "
        "kernel reads of it, so it sees none and says 'Exec format error'",
        "shorten it: a name by PATH (#!/usr/bin/env NAME), or a link with a short path",
    )


def no_interpreter_line(subject: ProgramFacts) -> Problem:
    """Return the problem of a text whose first line names no interpreter."""
    name, command = display(subject.path), file_handlers.language_of(subject.path)
    first = command.partition(" ")[0] or "sh"
    line = "#!/bin/sh" if first == "sh" else f"#!/usr/bin/env {first}"
    run = f"{command} {shell_word(subject.path)}; or " if command else ""
    return error(
        "script-without-interpreter",
        f"{name} is text whose first line names no interpreter (#!/path/to/interpreter); the kernel "
        "refuses it with 'Exec format error', and only a shell would try to read it as its own script",
        f"{run}put its interpreter into the first line: {line}",
    )


def _end(subject: ProgramFacts, step: Step) -> Iterator[Problem]:
    """Check the file to which the steps lead. What else binfmt_misc may start is not judged."""
    found, kind = display(step.found or b""), subject.last.kind
    if subject.last.script is not None:
        yield _refused(
            f"{display(subject.path)} is run by a script, and that again by a script: more than the "
            f"{MAX_STEPS} that the kernel follows ({found} is another)",
            "Too many levels of symbolic links",
        )
    elif kind is ProgramKind.EMPTY:
        yield _refused(f"{display(step.script)} is to be run by {found}, which is empty", "Exec format error")
    elif kind is ProgramKind.TEXT and not step.command:  # env, by execvp, gives such a file to sh
        fault = "which is text whose own first line names no interpreter"
        yield _refused(f"{display(step.script)} is to be run by {found}, {fault}", "Exec format error")


def _refused(fault: str, words: str) -> Problem:
    return error(
        "script-interpreter-refused",
        f"{fault}; the kernel refuses the script with {words!r}",
        "let the script's first line name a program",
    )


def _step(step: Step) -> Iterator[Problem]:
    script, wanted = display(step.script), display(step.wanted)
    if step.fault is None:
        return
    if step.wanted.endswith(b"\r") or step.command.endswith(b"\r"):
        yield error(
            "script-line-ending",
            f"the first line of {script} ends in a carriage return (it was written on Windows), so the "
            "interpreter asked for has that invisible character in its name",
            f"sed -i 's/\\r$//' {shell_word(step.script)}",
        )
    elif not step.wanted.startswith(b"/"):
        yield error(
            "script-interpreter-relative",
            f"{script} names the interpreter {wanted!r}, which is no absolute path: it is looked for in the "
            f"current directory, where it {step.fault}",
            "name it by its absolute path, or by /usr/bin/env",
        )
    elif step.command:
        yield error(
            "script-command-missing",
            f"{script} asks {wanted} for {display(step.command)!r}, and no directory in PATH has it",
            f"install the package that has {display(step.command)}, or put its directory in PATH",
        )
    elif step.fault != ABSENT:
        yield _refused(f"{script} is to be run by {wanted}, which {step.fault}", step.refusal)
    else:
        yield error(
            "script-interpreter-missing",
            f"{script} is to be run by {wanted}, which is not here; the shell reports that as if "
            "the script were missing",
            f"install the package that has {wanted}, or change the script's first line",
        )
