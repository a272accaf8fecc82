"""Death of a process at one of its changes of a file system: a fork that counts its calls."""

import os
import signal
from collections.abc import Callable

_CHANGING = ("rename", "symlink", "link", "unlink", "mkdir", "rmdir", "fsync", "fchmod")


def killed_at(count: int, action: Callable[[], object]) -> bool:
    """Do something in a fork that dies at its `count`-th change of a file system; tell if it ended before."""
    child = os.fork()
    if not child:
        _die_at(count)
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status == 0


def _die_at(count: int) -> None:
    left = count

    def counting(name: str) -> None:
        real = getattr(os, name)

        def call(*words: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*words, **named)

        setattr(os, name, call)

    for name in _CHANGING:
        counting(name)
