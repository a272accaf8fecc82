"""The steps from a script to the program that runs it, as the kernel and `env` go (pure over a FileView).

Linux, fs/binfmt_script.c, and GNU coreutils "env invocation"; elf/script.py reads the lines.
"""

from __future__ import annotations

import posixpath

from denizen.elf import classify
from denizen.elf.script import MAX_STEPS, WORKING_DIRECTORY
from denizen.fileview import FileKind as EntryKind
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Classification, Script
    from denizen.fileview import FileView

ABSENT = "is not here"
_DENIED = "Permission denied"


class Step(Value):
    """One interpreter line on the way from a script to a program.

    Attributes:
        script: the file with the line.
        wanted: the interpreter that it names.
        command: the command that `env` looks up, b"" without env.
        found: the file that runs it; None for none.
        fault: the reason for none, as "is not executable"; None where one is found.
        refusal: what the kernel says.
    """

    script: bytes
    wanted: bytes
    command: bytes
    found: bytes | None
    fault: str | None
    refusal: str = ""


def follow(
    view: FileView, path: bytes, classification: Classification, search_path: tuple[bytes, ...]
) -> tuple[tuple[Step, ...], bytes, Classification]:
    """Return the steps from script to script to program, the last file, and its classification."""
    steps: list[Step] = []
    while classification.script is not None and len(steps) < MAX_STEPS:
        step = _step(view, path, classification.script, search_path)
        steps.append(step)
        if step.found is None:
            break
        path = step.found
        try:
            classification = classify(view.read(path))
        except OSError:
            classification = classify(b"\0")  # an interpreter may be executable and not readable
    return tuple(steps), path, classification


def _step(view: FileView, script: bytes, line: Script, search_path: tuple[bytes, ...]) -> Step:
    command = line.env.program or b"" if line.env is not None else b""
    interpreter = posixpath.join(WORKING_DIRECTORY, line.interpreter)
    fault = _fault(view, interpreter)
    if fault is not None:
        return Step(script, line.interpreter, b"", None, *fault)
    if not command:
        return Step(script, line.interpreter, b"", interpreter, None)
    directories = [b""] if b"/" in command else [d for d in search_path if d]
    candidates = [posixpath.join(WORKING_DIRECTORY, d, command) for d in directories]
    found = next((path for path in candidates if _fault(view, path) is None), None)
    return Step(script, line.interpreter, command, found, None if found else ABSENT)


def _fault(view: FileView, path: bytes) -> tuple[str, str] | None:
    """Return why a path is no file that can be executed, and what the kernel says; None if it is one."""
    try:
        stat = view.stat(path)
    except FileNotFoundError as problem:
        return ABSENT, problem.strerror or ""
    except OSError as problem:
        return "cannot be reached", problem.strerror or str(problem)
    if stat.kind is not EntryKind.FILE:
        return "is not a file", _DENIED
    return None if stat.mode & 0o111 else ("is not executable", _DENIED)
