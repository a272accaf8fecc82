"""Hypothesis strategies for file trees, and helpers that make streams of entries comparable."""

import io
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import strategies as st

from denizen.formats.entry_name import is_entry_name
from denizen.formats.file_tree import Directory, Entry, File, Symlink, is_target
from denizen.formats.stream import Readable
from denizen.nar import writer

NOBODY = 65534


class ShortReads:
    """A stream that returns at most `step` bytes per read."""

    def __init__(self, content: bytes, step: int) -> None:
        self._stream = io.BytesIO(content)
        self._step = step

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._step))


def settled(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries with their contents read, each as one piece."""
    return [
        File(e.path, e.executable, e.size, (b"".join(bytes(piece) for piece in e.content),))
        if isinstance(e, File)
        else e
        for e in entries
    ]


def nar(*entries: Entry) -> bytes:
    return b"".join(bytes(piece) for piece in writer.write(entries))


def file(path: bytes, content: bytes = b"", *, executable: bool = False) -> File:
    return File(path, executable, len(content), (content,))


def entries_on_disk(path: str | os.PathLike[str]) -> list[Entry]:
    """Return the entries of a tree on disk by a simple walk, to compare optimised ones with."""
    return list(_on_disk(os.fsencode(path), b""))


def _on_disk(top: bytes, path: bytes) -> Iterable[Entry]:
    full = top + b"/" + path if path else top
    facts = os.lstat(full)
    if stat.S_ISLNK(facts.st_mode):
        yield Symlink(path, os.readlink(full))
    elif stat.S_ISREG(facts.st_mode):
        with open(full, "rb") as stream:
            yield file(path, stream.read(), executable=bool(facts.st_mode & stat.S_IXUSR))
    else:
        yield Directory(path)
        for name in sorted(os.listdir(full)):
            yield from _on_disk(top, path + b"/" + name if path else name)


def make_sealed_tree(tree: Path) -> None:
    """Make a read-only tree, as objects are."""
    (tree / "a/b/c").mkdir(parents=True)
    (tree / "a/file").write_bytes(b"x" * 5000)
    (tree / "a/link").symlink_to("/etc")
    for directory, _, _ in os.walk(tree, topdown=False):
        os.chmod(directory, 0o555)


def as_nobody(step: Callable[[], object]) -> int:
    """Return the exit status of a child that does `step` without root's rights, which bypass modes."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        if not os.geteuid():
            os.setgroups([])
            os.setuid(NOBODY)
        step()
    finally:
        os._exit(1)


def drain(stream: Readable) -> bytes:
    return b"".join(iter(lambda: stream.read(65536), b""))


_names = st.binary(min_size=1, max_size=12).filter(is_entry_name)
_targets = st.binary(min_size=1, max_size=20).filter(is_target)
_leaves = st.one_of(
    st.tuples(st.binary(max_size=40), st.booleans()),
    _targets,
)
_nodes = st.recursive(_leaves, lambda inner: st.dictionaries(_names, inner, max_size=5), max_leaves=12)


def _entries(path: bytes, node: object) -> Iterable[Entry]:
    match node:
        case dict():
            yield Directory(path)
            for name in sorted(node):
                yield from _entries(path + b"/" + name if path else name, node[name])
        case bytes():
            yield Symlink(path, node)
        case (bytes() as content, bool() as executable):
            yield File(path, executable, len(content), (content,))


trees: st.SearchStrategy[list[Entry]] = _nodes.map(lambda node: list(_entries(b"", node)))
