"""Process state that a program inherits from its caller through this process: signals, standard descriptors.

execve(2) passes on which signals are ignored, and Python changes that: it ignores SIGPIPE and SIGXFSZ before
any code of denizen runs (CPython, Modules/signalmodule.c, signal_install_handlers), and no option prevents
it. Only a process that looked before knows whether the caller ignored them: the compiled `denizen` command
(loader/front) and denizen-enter say so in a variable, which is removed here. Without that variable the
default action is restored.

`take` prepares this process to wait for its children, to open no file as standard input, output or error, and
to read the files it makes whatever the umask; `become` restores the caller's state and executes the program.
"""

from __future__ import annotations

# The built-in module: `signal` makes three enums of it, 1 ms at each start. typeshed does not know it.
import _signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import NoReturn

# Numbers of signals that the caller ignored, as loader/ignored_signals.h writes them: "13,25".
IGNORED = "DENIZEN_IGNORED_SIGNALS"
_OF_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)

# The LD_LIBRARY_PATH of the caller, where the command kept it from this Python's own dynamic linker
# (loader/front/python_environment.h).
LIBRARY_PATH = "DENIZEN_LIBRARY_PATH"

# Signals that the program is to ignore; global, as dispositions belong to the process.
_ignored: set[int] = set()
# Whether SIGCHLD was pending, blocked, before any child of this process ended.
_pending: list[bool] = []
# The caller's umask, where it takes rights from the owner of a file; global as the umask is the process's.
_umasks: list[int] = []
_OWNERS = 0o700


def take(environ: MutableMapping[str, str]) -> None:
    """Record the signals that the caller ignores, and prepare this process for its own work."""
    if LIBRARY_PATH in environ:
        environ["LD_LIBRARY_PATH"] = environ.pop(LIBRARY_PATH)
    _ignored.update(int(word) for word in environ.pop(IGNORED, "").split(",") if word in ("13", "25", "31"))
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        # While SIGCHLD is ignored the kernel keeps no exit status (wait(2)): all children seem to succeed.
        _ignored.add(_signal.SIGCHLD)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _pending.append(_signal.SIGCHLD in _signal.sigpending())
    _fill_standard_descriptors()
    mask = os.umask(0o077)
    if mask & _OWNERS:
        _umasks.append(mask)
    os.umask(mask & ~_OWNERS)


def become(file: bytes, words: list[bytes], environ: Mapping[str, str] | None = None) -> NoReturn:
    """Execute a program with the caller's signal dispositions and umask.

    Raises OSError where the kernel refuses.
    """
    if not any(_pending):
        # Of children of this process alone: execve passes on what is pending, and ignoring discards it.
        _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    for number in {*_OF_PYTHON, *_ignored}:
        _signal.signal(number, _signal.SIG_IGN if number in _ignored else _signal.SIG_DFL)
    _umask_of_caller()
    try:
        os.execve(file, words, os.environ if environ is None else environ)  # noqa: S606  # no shell wanted
    finally:  # an error is told, or another way tried, by this process
        os.umask(os.umask(0o077) & ~_OWNERS)
        for number in {*_OF_PYTHON, *_ignored}:
            _signal.signal(number, _signal.SIG_IGN if number in _OF_PYTHON else _signal.SIG_DFL)


def _umask_of_caller() -> None:
    for mask in _umasks:
        os.umask(mask)


def _fill_standard_descriptors() -> None:
    """Open descriptors 0 to 2 where they are closed, close-on-exec: they are closed again in the program.

    Standard output is opened for reading alone: a result that is written there is an error of the command
    (EBADF, as a closed descriptor gives), while messages to a closed standard error are dropped.
    """
    for number, flags in enumerate((os.O_RDWR, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number is this one
    # Python's stream is None where the descriptor was closed.
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  # as long as the process
