"""A record of the questions asked of a file tree, with the answers, and a check that they still hold (pure).

With the answers, and the check that they still hold (pure).

A resolution follows from the indexes, the rules and the answers of the file tree: if every question has the
same answer again, the resolution is the same. A file's content is represented by its stamp: device, inode,
size, mtime and ctime in nanoseconds. The stamp of a directory changes with every file put into it and is not
used: for a directory the kind, mode and owner are compared.
"""

from __future__ import annotations

from denizen.fileview import FileKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeVar

    from denizen.bytesio import Buffer
    from denizen.fileview import FileView, Stat

    T = TypeVar("T", bound="Stat | bytes | tuple[bytes, ...]")
    # (question, path) -> the part of the answer that is compared.
    Trace: TypeAlias = dict[tuple[str, bytes], object]


class TracedView:
    """A FileView that records questions and answers.

    Attributes:
        trace: the answers, by question.
        newest: the latest change of any file that was asked about, in nanoseconds since 1970.
    """

    def __init__(self, view: FileView) -> None:
        self._view = view
        self.trace: Trace = {}
        self.newest = 0

    def stat(self, path: bytes) -> Stat:
        return self._note("stat", path, self._view.stat)

    def lstat(self, path: bytes) -> Stat:
        return self._note("lstat", path, self._view.lstat)

    def readlink(self, path: bytes) -> bytes:
        return self._note("readlink", path, self._view.readlink)

    def realpath(self, path: bytes) -> bytes:
        return self._note("realpath", path, self._view.realpath)

    def listdir(self, path: bytes) -> tuple[bytes, ...]:
        return self._note("listdir", path, self._view.listdir)

    def read(self, path: bytes) -> Buffer:
        # Stamped before it is read: a change meanwhile gives the file another stamp.
        self.stat(path)
        return self._view.read(path)

    def _note(self, question: str, path: bytes, ask: Callable[[bytes], T]) -> T:
        try:
            answer = ask(path)
        except OSError as problem:
            self.trace[question, path] = problem.errno
            raise
        self.trace[question, path] = told = essence(answer)
        if question in ("stat", "lstat") and isinstance(told, list):
            self.newest = max(self.newest, *told[-2:])
        return answer


def essence(answer: Stat | bytes | tuple[bytes, ...]) -> object:
    """Return the part of an answer that is compared, as JSON has it."""
    if isinstance(answer, bytes):
        return answer.decode("latin-1")
    if isinstance(answer, tuple):
        return [name.decode("latin-1") for name in answer]
    if answer.kind is FileKind.DIRECTORY:
        return f"directory {answer.mode:o} of {answer.uid}"
    kind = answer.kind.value
    return [kind, answer.mode, answer.device, answer.inode, answer.size, answer.mtime_ns, answer.ctime_ns]


def holds(trace: Trace, view: FileView) -> bool:
    """Tell whether the view gives the same answers again."""
    ask: dict[str, Callable[[bytes], Stat | bytes | tuple[bytes, ...]]] = {
        "stat": view.stat,
        "lstat": view.lstat,
        "readlink": view.readlink,
        "realpath": view.realpath,
        "listdir": view.listdir,
    }
    return all(_answer(ask[question], path) == told for (question, path), told in trace.items())


def _answer(ask: Callable[[bytes], Stat | bytes | tuple[bytes, ...]], path: bytes) -> object:
    try:
        return essence(ask(path))
    except OSError as problem:
        return problem.errno
