"""Processes that do part of the work, so that Python runs on every processor at once.

Decompression, hashing and waiting for a disk let go of the interpreter's lock; reading headers, making files
and unlinking them take it and let go of it every few microseconds: two threads that unpack take turns for a
third of the time, and sixteen that unlink are slower than four. A helper is forked, so it costs a
millisecond and knows all that this process knows; what it is told and what it answers are bytes and numbers
(`marshal`), for what it makes, it writes itself.

A helper that is told something while others hold locks may wait for ever for a lock nobody holds, so none is
forked once this process has threads; then, and where the kernel refuses more processes, the work is
done here, by the thread that asks.

A helper ignores the terminal's Ctrl-C: whoever uses it is told, and `close` kills it. When its parent is
killed the kernel kills it too (PR_SET_PDEATHSIG), so that nobody writes any more into a tree whose session is
over; where that cannot be asked for, it ends once it has done what it is at, for its pipe is closed then.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal

from denizen.errors import HostLacks
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from typing import Any, BinaryIO, NoReturn, Self, TypeAlias

    # Tells one piece of work, and what came of it: bytes, str, int, and tuples of them, as marshal carries.
    Message: TypeAlias = tuple[Any, ...]
    Work: TypeAlias = Callable[[Any], Any]


_PR_SET_PDEATHSIG = 1


class HelperDied(HostLacks):
    """A process that did part of the work has ended before it was done.

    Attributes:
        about: what it was doing: "unpack x.deb".
        status: how it ended: an exit status, or a signal as a negative number.
    """

    about: str
    status: int
    WHAT = "the process that was to {about:text} has ended"

    @property
    def why(self) -> str:
        if self.status >= 0:
            return f"its exit status is {self.status}"
        return f"it was killed by {signal.Signals(-self.status).name}"

    @property
    def remedy(self) -> str:
        return "again; if the kernel killed it for want of memory, with fewer jobs" if self.status < 0 else ""


class Helpers:
    """So many processes that do `work`, or none, where there can be none."""

    def __init__(self, work: Work, count: int) -> None:
        """Fork them. To be made before this process has other threads."""
        from queue import SimpleQueue

        self._work = work
        self._helpers = _forked(work, count)
        # Who does not find an idle one waits: no more is done at once than was asked for.
        self._idle: SimpleQueue[_Helper | None] = SimpleQueue()
        for number in range(max(count, 1)):
            self._idle.put(self._helpers[number] if number < len(self._helpers) else None)

    @property
    def are_processes(self) -> bool:
        """Whether there are any, rather than this process doing all itself."""
        return bool(self._helpers)

    def do(self, about: str, message: Message) -> Any:
        """What `work` answers to a message; waits for a helper that is idle.

        Raises:
            HelperDied: it was killed.
            Exception: what `work` raised.
        """
        helper = self._idle.get()
        try:
            return self._work(message) if helper is None else helper.do(about, message)
        finally:
            self._idle.put(helper)

    def close(self) -> None:
        """End them, whatever they are at."""
        for helper in self._helpers:
            helper.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@value
class _Helper:
    """A process, and the pipes to it and from it."""

    process: int
    telling: BinaryIO
    hearing: BinaryIO

    def do(self, about: str, message: Message) -> Any:
        try:
            marshal.dump(message, self.telling)
            self.telling.flush()
            done, answer = marshal.load(self.hearing)  # noqa: S302  # our own process wrote it
        except (EOFError, BrokenPipeError):
            raise HelperDied(about, self._status()) from None
        except (OSError, ValueError):
            # It may well live, and wait for what never reached it: waiting for its end would have none.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)
            raise HelperDied(about, self._status()) from None
        if not done:
            import pickle

            raise pickle.loads(answer)  # noqa: S301  # our own process wrote it
        return answer

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process, 0)
        for pipe in (self.telling, self.hearing):
            with contextlib.suppress(OSError):
                pipe.close()

    def _status(self) -> int:
        """How it ended; waits until it has."""
        try:
            facts = os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return -signal.SIGKILL
        assert facts is not None  # without WNOHANG it waits
        killed = facts.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
        return -facts.si_status if killed else facts.si_status


def _forked(work: Work, count: int) -> list[_Helper]:
    import threading

    helpers: list[_Helper] = []
    if not count or threading.active_count() > 1:
        return helpers
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: F401  # once and not in each of them (4 ms)
    with contextlib.suppress(OSError):  # the kernel has no more processes or descriptors for us
        while len(helpers) < count:
            helpers.append(_fork(work, helpers))
    return helpers


def _fork(work: Work, others: list[_Helper]) -> _Helper:
    with contextlib.ExitStack() as failed:
        theirs, telling = _pipe(failed)
        hearing, answering = _pipe(failed)
        parent = os.getpid()
        process = os.fork()
        if process == 0:
            # Another helper's pipe left open here would keep that one waiting after our parent's death.
            for pipe in (telling, hearing, *(p.fileno() for o in others for p in (o.telling, o.hearing))):
                os.close(pipe)
            _serve(work, theirs, answering, parent)
        failed.pop_all()
    os.close(theirs)
    os.close(answering)
    return _Helper(process, open(telling, "wb"), open(hearing, "rb"))


def _pipe(failed: contextlib.ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    failed.callback(os.close, reading)
    failed.callback(os.close, writing)
    return reading, writing


def _serve(work: Work, incoming: int, outgoing: int, parent: int) -> NoReturn:
    """The life of a helper."""
    status = 1
    try:
        import gc

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _die_with(parent)
        # What was there before is not looked through again: that would copy its pages.
        gc.freeze()
        with open(incoming, "rb") as telling, open(outgoing, "wb") as answering:
            while True:
                marshal.dump(_answer(work, marshal.load(telling)), answering)  # noqa: S302  # our parent wrote it
                answering.flush()
    except EOFError:
        status = 0
    finally:
        # Nothing of the parent's is to be finished here: neither its buffers nor its database.
        os._exit(status)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2))."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise EOFError  # it was dead before that was asked for


def _answer(work: Work, message: Message) -> tuple[bool, Any]:
    try:
        return True, work(message)
    except Exception as error:  # noqa: BLE001  # raised again by whoever asked
        import pickle

        return False, pickle.dumps(error)
