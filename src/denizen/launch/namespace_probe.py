"""Probes of the namespaces that this host allows, by trying them.

The plan of a start is carried out up to the point where the program would begin (`denizen-enter … check`).
Sysctls are not consulted: whether AppArmor, seccomp, a container or a limit forbids it, the kernel's answer
tells.

Nothing is remembered between processes. The answer depends on facts that no key could hold: namespaces whose
numbers the kernel uses again, capabilities, seccomp filters, no_new_privs, security labels, exhausted limits.
A trial costs 0.5 ms (1.5 ms with a user namespace), and only a program without a decision needs one.
"""

from __future__ import annotations

import contextlib
import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT = 20
_MAX_WORDS = 10_000


def obstacle(enter: bytes, operations: Sequence[bytes]) -> str:
    """Return the error that `denizen-enter` meets when it carries out the operations; "" if there is none."""
    # Without `subprocess`, whose import costs eight times the trial.
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as words:
        try:
            nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            onto = [(os.POSIX_SPAWN_DUP2, writing, number) for number in (1, 2)]
            command = [enter, *operations, b"check"]
            child = os.posix_spawn(enter, command, os.environ, file_actions=[nothing, *onto])
        except OSError as problem:
            return str(problem)
        finally:
            os.close(writing)
        said = _said(words.fileno())
    if said is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said is None:
        return f"the trial did not end within {_TIMEOUT} s"
    return "" if status == 0 else _reason(said, status)


def environment_obstacle(enter: bytes) -> str:
    """Return why no environment can be entered here, whatever it has; "" if one can."""
    return obstacle(enter, (b"private",))


def _said(descriptor: int) -> bytes | None:
    """Return all that is written until the writer ends; None if it does not end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    said = b""
    while poll.poll(_TIMEOUT * 1000):
        piece = os.read(descriptor, 4096)
        if not piece or len(said) > _MAX_WORDS:
            return said
        said += piece
    return None


def _reason(said: bytes, status: int) -> str:
    words = said.decode("utf-8", "replace").strip().removeprefix("denizen: ")
    if words:
        return words
    if status == -31:  # SIGSYS
        return "a seccomp filter of this host's ends who tries"
    return (
        f"the trial was ended by signal {-status}" if status < 0 else f"the trial ended with status {status}"
    )
