"""A pool of forked helper processes, so that Python code runs on every processor at once.

Decompression, hashing and waiting for a disk release the interpreter's lock; reading headers, creating files
and unlinking them take and release it every few microseconds: two threads that unpack wait for each other a
third of the time, and sixteen that unlink are slower than four. A helper is forked, so it costs a
millisecond and has all the state of this process; messages and answers are bytes and numbers (`marshal`),
because a helper writes the files it makes itself.

A process forked while another thread holds a lock may wait for ever for that lock, so no helper is forked
once this process has threads; then, and where the kernel refuses more processes, the work is done in this
process, by the calling thread.

A helper ignores the terminal's Ctrl-C: its parent gets it, and `close` kills the helper. When the parent is
killed the kernel kills the helper too (PR_SET_PDEATHSIG), so that it does not write into a tree whose session
is over; where prctl is not available, it ends after its current work, because its pipe is closed then.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal

from denizen.errors import HostLacks
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from typing import Any, BinaryIO, NoReturn, Self, TypeAlias

    # A piece of work or its result: bytes, str, int, and tuples of them, as marshal supports.
    Message: TypeAlias = tuple[Any, ...]
    Work: TypeAlias = Callable[[Any], Any]


_PR_SET_PDEATHSIG = 1


class HelperDied(HostLacks):
    """A helper process ended before its work was done.

    Attributes:
        about: its work: "unpack x.deb".
        status: its exit status, or the signal that killed it as a negative number.
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
        return "run the command again; with fewer jobs if memory ran out" if self.status < 0 else ""


class Helpers:
    """A pool of up to `count` processes that do `work`; without processes the caller's thread does it."""

    def __init__(self, work: Work, count: int) -> None:
        """Fork the helpers. Must be called before this process has other threads."""
        from queue import SimpleQueue

        self._work = work
        self._helpers = _forked(work, count)
        # Idle helpers; callers wait for one, so no more than `count` pieces of work are done at once.
        self._idle: SimpleQueue[_Helper | None] = SimpleQueue()
        for number in range(max(count, 1)):
            self._idle.put(self._helpers[number] if number < len(self._helpers) else None)

    @property
    def are_processes(self) -> bool:
        """True if there are helper processes, False if this process does all work itself."""
        return bool(self._helpers)

    def do(self, about: str, message: Message) -> Any:
        """Return the result of `work` for `message`; waits for an idle helper.

        `about` describes it in errors.

        Raises:
            HelperDied: the helper was killed.
            Exception: what `work` raised.
        """
        helper = self._idle.get()
        try:
            return self._work(message) if helper is None else helper.do(about, message)
        finally:
            self._idle.put(helper)

    def close(self) -> None:
        """Kill the helpers, whatever they are doing."""
        for helper in self._helpers:
            helper.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Helper(Value):
    """A helper process, and the pipes to it and from it."""

    process: int
    requests: BinaryIO
    answers: BinaryIO

    def do(self, about: str, message: Message) -> Any:
        try:
            marshal.dump(message, self.requests)
            self.requests.flush()
            done, answer = marshal.load(self.answers)  # noqa: S302  # our own process wrote it
        except (EOFError, OSError, ValueError):
            # It may be alive and wait for a message that did not arrive: killed, as it would never end.
            # EOFError does not mean that it ended: Python 3.11.2's marshal.load raises it for every failed
            # read. A process that is ending keeps its status.
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
        for pipe in (self.requests, self.answers):
            with contextlib.suppress(OSError):
                pipe.close()

    def _status(self) -> int:
        """Wait until the helper has ended; return its exit status, or its signal as a negative number."""
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
        import ctypes  # noqa: F401  # once in the parent and not in each helper (4 ms)
    with contextlib.suppress(OSError):  # the kernel has no more processes or descriptors for us
        while len(helpers) < count:
            helpers.append(_fork(work, helpers))
    return helpers


def _fork(work: Work, others: list[_Helper]) -> _Helper:
    with contextlib.ExitStack() as failed:
        requests_end, requests = _pipe(failed)
        answers, answers_end = _pipe(failed)
        parent = os.getpid()
        process = _fork_uninterrupted()
        if process == 0:
            # Another helper's pipe left open here would keep that helper waiting after our parent's death.
            for pipe in (requests, answers, *(p.fileno() for o in others for p in (o.requests, o.answers))):
                os.close(pipe)
            _serve(work, requests_end, answers_end, parent)
        failed.pop_all()
    os.close(requests_end)
    os.close(answers_end)
    return _Helper(process, open(requests, "wb"), open(answers, "rb"))


def _fork_uninterrupted() -> int:
    """Return what fork returns; a Ctrl-C waits until then, and in the child it is ignored.

    Modules of Python's have functions called at a fork (logging). Python prints and drops what is raised in
    one of them (PyOS_AfterFork_Parent): an interruption would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = os.fork()
        if process == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pipe(failed: contextlib.ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    failed.callback(os.close, reading)
    failed.callback(os.close, writing)
    return reading, writing


def _serve(work: Work, incoming: int, outgoing: int, parent: int) -> NoReturn:
    """Run the main loop of a helper process."""
    status = 1
    try:
        import gc

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _die_with(parent)
        # Existing objects are exempt from garbage collection, which would copy their pages.
        gc.freeze()
        with open(incoming, "rb") as requests, open(outgoing, "wb") as answers:
            while True:
                marshal.dump(_answer(work, marshal.load(requests)), answers)  # noqa: S302  # our parent wrote it
                answers.flush()
    except EOFError:
        status = 0
    finally:
        # _exit: the parent's buffers must not be flushed here, nor its database closed.
        os._exit(status)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2))."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise EOFError  # the parent died before the call


def _answer(work: Work, message: Message) -> tuple[bool, Any]:
    try:
        return True, work(message)
    except Exception as error:  # noqa: BLE001  # raised again in the parent
        import pickle

        return False, pickle.dumps(error)
