"""The steps from a script to the program that runs it, as the kernel and `env` go (pure over a FileView).

Linux, fs/binfmt_script.c, and GNU coreutils "env invocation"; elf/script.py reads the lines.
"""

from __future__ import annotations

import posixpath

from denizen.elf import classify
from denizen.fileview import FileKind as EntryKind
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Classification, Script
    from denizen.fileview import FileView

# The kernel follows at most this many interpreter lines (fs/exec.c exec_binprm: depth > 5 is ELOOP).
MAX_STEPS = 5


@value
class Step:
    """One interpreter line on the way from a script to a program.

    Attributes:
        script: the file with the line.
        wanted: the interpreter that it names.
        command: the command that `env` looks up, b"" without env.
        found: the file that runs it; None for none.
        fault: the reason for none: "absent", "relative" and the like; None where one is found.
    """

    script: bytes
    wanted: bytes
    command: bytes
    found: bytes | None
    fault: str | None


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
            break
    return tuple(steps), path, classification


def _step(view: FileView, script: bytes, line: Script, search_path: tuple[bytes, ...]) -> Step:
    command = line.env.program or b"" if line.env is not None else b""
    fault = _executable(view, line.interpreter)
    if fault is not None:
        return Step(script, line.interpreter, b"", None, fault)
    if not command:
        return Step(script, line.interpreter, b"", line.interpreter, None)
    candidates = [command] if b"/" in command else [posixpath.join(d, command) for d in search_path if d]
    found = next((path for path in candidates if _executable(view, path) is None), None)
    return Step(script, line.interpreter, command, found, None if found else "absent")


def _executable(view: FileView, path: bytes) -> str | None:
    """Return None if `path` is a file that can be executed, else the reason why not."""
    if not path.startswith(b"/"):
        return "relative"
    try:
        stat = view.stat(path)
    except OSError as problem:
        return "absent" if isinstance(problem, FileNotFoundError) else (problem.strerror or "unreadable")
    if stat.kind is not EntryKind.FILE:
        return "not a file"
    return None if stat.mode & 0o111 else "not executable"
