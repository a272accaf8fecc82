"""What a program inherits from its caller through this process: signal dispositions, standard descriptors.

execve(2) hands on which signals are ignored, and Python changes that: it ignores SIGPIPE and SIGXFSZ before
any code of ours runs (CPython, Modules/signalmodule.c, signal_install_handlers), and no option prevents it.
Whether the caller ignored them is then known only to who looked before: the compiled `denizen` command
(loader/front) and denizen-enter tell it in a variable, which ends here. Without word from them the default is
given back.

`take` makes this process one that can wait for its children and that opens no file as standard input, output
or error; `become` gives back what was taken and executes the program.
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

# Numbers of signals that the caller ignored, as loader/ignored.h writes them: "13,25".
IGNORED = "DENIZEN_IGNORED_SIGNALS"
_OF_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)

# Of the process, as the dispositions are: the signals to be ignored in the program, though not here.
_ignored: set[int] = set()


def take(environ: MutableMapping[str, str]) -> None:
    """Note what the caller ignores, and put this process right for work of its own."""
    _ignored.update(int(word) for word in environ.pop(IGNORED, "").split(",") if word in ("13", "25", "31"))
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        # The kernel then keeps no status of a child (wait(2)), and each would seem to have succeeded.
        _ignored.add(_signal.SIGCHLD)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _fill_standard_descriptors()


def become(file: bytes, words: list[bytes], environ: Mapping[str, str] | None = None) -> NoReturn:
    """Execute a program as the caller would have. Raises OSError where the kernel refuses."""
    for number in {*_OF_PYTHON, *_ignored}:
        _signal.signal(number, _signal.SIG_IGN if number in _ignored else _signal.SIG_DFL)
    try:
        os.execve(file, words, os.environ if environ is None else environ)  # noqa: S606  # no shell wanted
    finally:  # an error is told, or another way tried, by this process
        for number in {*_OF_PYTHON, *_ignored}:
            _signal.signal(number, _signal.SIG_IGN if number in _OF_PYTHON else _signal.SIG_DFL)


def _fill_standard_descriptors() -> None:
    """Occupy 0 to 2 where they are closed; closed again in the program, for Python opens close-on-exec."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
    # Python has None for a closed one.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # as long as the process
