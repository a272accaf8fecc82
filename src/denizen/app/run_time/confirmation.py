"""Confirmation: ask the user at the terminal about packages beyond the budget, for `run --ask`."""

from __future__ import annotations

import os
import stat

from denizen.app.run_time.program_around import stat_fields
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Where the kernel's terminals are: pseudo-terminals first, which hold nearly all programs.
_TERMINALS = (b"/dev/pts", b"/dev")
DECLINED = "it was declined"
# An answer is a word; what a terminal holds beyond it belongs to the program.
_LONGEST_ANSWER = 64


def refusal(program: bytes, name: bytes, size: int, reason: str) -> str:
    """Return why packages are not brought, after the user was asked; "" where the answer was yes.

    Args:
        program: the path of the program that runs; b"" where it is not known.
        name: what it wants: a library, a command or a path.
        size: bytes to fetch.
        reason: what speaks against them without an answer; returned where nobody can be asked.
    """
    wants = f"{display(os.path.basename(program))} wants" if program else "the program wants"
    answer = _answered(f"denizen: {wants} {display(name)}: {reason}. Bring {_megabytes(size)}? [y/N] ")
    if answer is None:
        return f"{reason}, and there is no terminal to ask at"
    return "" if answer.strip().lower() in (b"y", b"yes") else DECLINED


def _megabytes(size: int) -> str:
    return f"{max(size // 1_000_000, 1)} MB"


def _answered(question: str) -> bytes | None:
    """Return the line that was typed at the program's terminal; None where nobody can type one."""
    try:
        path = _terminal(os.getppid())
        # This process leads a session without a terminal (loader/unseen_child.c), and is to stay without.
        terminal = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY) if path else -1
    except OSError:
        return None
    if terminal < 0:
        return None
    try:
        os.write(terminal, question.encode("utf-8", "replace"))
        return os.read(terminal, _LONGEST_ANSWER)
    except OSError:
        return None
    finally:
        os.close(terminal)


def _terminal(asker: int) -> bytes:
    """Return a path of a process's controlling terminal; b"" for none, or for one that others read from.

    A program in the background does not read what is typed. Raises OSError.
    """
    fields = stat_fields(asker)
    group, device, foreground = fields[2], int(fields[4]), fields[5]
    if not device or group != foreground:
        return b""
    return next((path for path in _candidates(asker) if _is_device(path, device)), b"")


def _candidates(asker: int) -> Iterator[bytes]:
    """Yield where a process's terminal may be: its own files first, for a container may lack the name."""
    yield from (b"/proc/%d/fd/%d" % (asker, number) for number in range(3))
    for directory in _TERMINALS:
        for name in sorted(os.listdir(directory)):
            if name.isdigit() or name.startswith(b"tty"):
                yield os.path.join(directory, name)


def _is_device(path: bytes, device: int) -> bool:
    try:
        state = os.stat(path)
    except OSError:
        return False
    return stat.S_ISCHR(state.st_mode) and _numbered(state.st_rdev) == device


def _numbered(device: int) -> int:
    """Return a device's number as /proc/PID/stat has it (the kernel's new_encode_dev)."""
    minor = os.minor(device)
    return minor & 0xFF | os.major(device) << 8 | (minor & ~0xFF) << 12
