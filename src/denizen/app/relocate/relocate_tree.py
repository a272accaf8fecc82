"""A whole tree for another prefix: every file and link looked at, changed in place, and read again.

Each file changes at once or not at all, so that the command, interrupted, goes on when it is run again: what
is changed already mentions the old prefix no more.
"""

from __future__ import annotations

import bz2
import glob
import lzma
import mmap
import os
import posixpath
import stat
import zlib

from denizen.app.relocate.rewrite_file import replace_content, replace_link
from denizen.app.relocate.store_guard import refuse_in_store
from denizen.app.relocate.tree_directories import TreeDirectories
from denizen.bytesio import Truncated
from denizen.disk import FULL
from denizen.errors import DenizenError, HostLacks, display
from denizen.formats.pyc import for_source
from denizen.relocate.relocate_file import LeftMention, RelocatedFile, compression_of, relocate_file
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.relocate.prefix import Prefix

# Bytes of a compressed file that are looked into.
_MAX_PLAIN = 64 << 20
# What is said of a file with names outside of the tree, as uv's cache and optimised stores have them.
_KEPT = "its other names (hard links) are outside of the tree, and keep the old content"


class BadPrefix(DenizenError):
    """The error that a prefix cannot be replaced by the other."""

    path: bytes
    reason: str
    WHAT = "{path} cannot be a prefix"
    WHY = "{reason:text}"


class NestedPrefix(BadPrefix):
    """The error that the new prefix lies in the old one.

    It would be taken for the old one when the command is run again, as after it was interrupted.
    """

    REMEDY = "relocate to a path elsewhere first, and from there to this one"


class NoTree(DenizenError):
    """The error that there is no tree, or that it cannot be read or written."""

    path: bytes
    reason: str
    code: int = 0
    WHAT = "{path} cannot be relocated"
    WHY = "{reason:text}"

    @property
    def remedy(self) -> str:
        if self.code not in FULL:
            return ""
        return "free room on its disk, and give the command again: what was changed by now stays so"


class NotWritten(HostLacks):
    """The error that a file, read again, is not what was written."""

    path: bytes
    WHAT = "{path} is not as it was written"
    WHY = "the disk or another process changed it"
    REMEDY = "run the command again"


class TreeRequest(Value):
    """A tree and its prefixes.

    Attributes:
        tree: the directory that is, or will be, at the new prefix; or a file.
        prefix: the old and the new path, and the short link.
        relative: let links and run paths be relative, so that the tree can be moved again.
        only_plan: write nothing.
    """

    tree: bytes
    prefix: Prefix
    relative: bool = False
    only_plan: bool = False


class RelocatedEntry(Value):
    """One file or link: its path below the tree and what became of it."""

    path: bytes
    ways: tuple[str, ...]
    places: int
    left: tuple[LeftMention, ...] = ()
    remarks: tuple[str, ...] = ()


class RelocatedTree(Value):
    """The result: the entries that mention the old prefix, and the number of all."""

    entries: tuple[RelocatedEntry, ...]
    count: int

    @property
    def is_complete(self) -> bool:
        """Tell whether no mention is left."""
        return not any(entry.left for entry in self.entries)


def relocate_tree(asked: TreeRequest, told: Callable[[int], None] = lambda _: None) -> RelocatedTree:
    """Change all mentions of the old prefix in a tree; `told` is called once with 1 for each entry.

    Raises:
        BadPrefix: a prefix is not absolute, or the new one lies in the old one.
        NoTree, InStore: a file cannot be read or written.
        NotWritten: a file is not what was written.
    """
    _check(asked.prefix)
    if not asked.only_plan:
        refuse_in_store(asked.tree)
    top = asked.tree if os.path.isdir(asked.tree) else os.path.dirname(asked.tree) or b"."
    try:
        with TreeDirectories(top) as directories:
            return _relocated(asked, directories, told)
    except OSError as problem:
        place, why = problem.filename or asked.tree, problem.strerror or str(problem)
        raise NoTree(place, why, problem.errno or 0) from problem


def _relocated(
    asked: TreeRequest, directories: TreeDirectories, told: Callable[[int], None]
) -> RelocatedTree:
    entries, count = [], 0
    # Files with several names come last, when all names that they have in the tree are known.
    linked: dict[tuple[int, int], list[bytes]] = {}
    for path, facts in _walk(asked.tree):
        count += 1
        told(1)
        if stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1:
            linked.setdefault((facts.st_dev, facts.st_ino), []).append(path)
        elif (done := _entry(asked, directories, path, facts)) is not None:
            entries.append(done)
    for path, *others in linked.values():
        done = _entry(asked, directories, path, os.lstat(path), tuple(others))
        if done is not None:
            entries.append(done)
    return RelocatedTree(tuple(entries), count)


def _check(prefix: Prefix) -> None:
    for path in (prefix.old, prefix.new, *([prefix.link] if prefix.link else [])):
        if not path.startswith(b"/") or path != posixpath.normpath(path) or path == b"/" or b"\0" in path:
            raise BadPrefix(path, "it is not an absolute path without `.`, `..` and doubled slashes")
        if b"\n" in path:
            raise BadPrefix(path, "it has a line's end in it")
    if prefix.new == prefix.old:
        raise BadPrefix(prefix.new, "it is the old one")
    if prefix.new.startswith(prefix.old + b"/"):
        raise NestedPrefix(prefix.new, f"it lies in {display(prefix.old)}")
    if prefix.link and len(prefix.link) > len(prefix.old):
        raise BadPrefix(prefix.link, f"it is longer than {display(prefix.old)}, so it helps nowhere")


def _walk(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield all files and links in a tree, in the order of their names."""
    facts = os.lstat(top)
    if not stat.S_ISDIR(facts.st_mode):
        yield top, facts
        return
    pending = [top]
    while pending:
        below = []
        with os.scandir(pending.pop()) as found:
            for entry in sorted(found, key=lambda one: one.name):
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                else:
                    yield entry.path, entry.stat(follow_symlinks=False)
        pending += reversed(below)


def _entry(
    asked: TreeRequest,
    directories: TreeDirectories,
    path: bytes,
    facts: os.stat_result,
    others: tuple[bytes, ...] = (),
) -> RelocatedEntry | None:
    """Return what becomes of a file or link; None where nothing does. `others`: its names in the tree."""
    inside = path[len(asked.tree.rstrip(b"/")) + 1 :] or posixpath.basename(path)
    if stat.S_ISLNK(facts.st_mode):
        return _link(asked, directories, path, inside)
    if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
        return None
    done = _file(asked, directories, path, inside)
    if done.content is not None and not asked.only_plan:
        _write(directories, path, done.content, others)
    if not (done.places or done.left):
        return None
    outside = facts.st_nlink - 1 - len(others)
    remarks = (*done.remarks, *([_KEPT] if outside and done.content is not None else []))
    return RelocatedEntry(inside, done.ways, done.places, done.left, remarks)


def _file(asked: TreeRequest, directories: TreeDirectories, path: bytes, inside: bytes) -> RelocatedFile:
    origin = posixpath.dirname(posixpath.join(asked.prefix.old, inside)) if asked.relative else b""
    with (
        open(path, "rb", opener=directories.open) as stream,
        mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as data,
    ):
        known = compression_of(data[:8])
        if known:
            return _compressed(data[:], known, asked.prefix)
        return relocate_file(data, asked.prefix, origin=origin)


def _compressed(data: bytes, form: str, prefix: Prefix) -> RelocatedFile:
    """Return the file as it is, with what its plain content mentions as left."""
    done = relocate_file(data, prefix)
    plain = _plain(data, form)
    if plain is None or prefix.old not in plain:
        return done
    return replace(done, left=(*done.left, LeftMention(0, f"it is compressed ({form})")))


def _plain(data: bytes, form: str) -> bytes | None:
    """Return the beginning of a compressed file's content; None where it cannot be looked into."""
    try:
        match form:
            case "gzip":
                return zlib.decompressobj(31).decompress(data, _MAX_PLAIN)
            case "bzip2":
                return bz2.BZ2Decompressor().decompress(data, _MAX_PLAIN)
            case "xz":
                return lzma.LZMADecompressor(memlimit=_MAX_PLAIN * 2).decompress(data, _MAX_PLAIN)
    except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError, Truncated):
        return None
    return None


def _write(directories: TreeDirectories, path: bytes, content: bytes, others: tuple[bytes, ...]) -> None:
    compiled = _compiled(path) if path.endswith(b".py") else ()
    if compiled:
        with open(path, "rb", opener=directories.open) as stream:
            old = stream.read()
    replace_content(directories, path, content, others)
    with open(path, "rb", opener=directories.open) as stream:
        if stream.read() != content:
            raise NotWritten(path)
    for one in compiled:
        with open(one, "rb", opener=directories.open) as stream:
            found = stream.read()
        told = for_source(found, old, content)
        if told != found:
            replace_content(directories, one, told)


def _compiled(source: bytes) -> list[bytes]:
    """Return the compiled files of a source, which know its size or its hash.

    With another one Python would compile it again at each start, and could store it nowhere. No link is
    followed, which may lead out of the tree.
    """
    name = posixpath.basename(source).removesuffix(b".py")
    cache = posixpath.join(posixpath.dirname(source), b"__pycache__")
    if os.path.islink(cache):
        return []
    found = glob.glob(glob.escape(posixpath.join(cache, name)) + b".*.pyc")
    return [path for path in found if stat.S_ISREG(os.lstat(path).st_mode)]


def _link(
    asked: TreeRequest, directories: TreeDirectories, path: bytes, inside: bytes
) -> RelocatedEntry | None:
    target = os.readlink(os.path.basename(path), dir_fd=directories.of(path))
    new = asked.prefix.moved(target)
    if new == target:
        return None
    if asked.relative:
        home = posixpath.dirname(posixpath.join(asked.prefix.old, inside))
        new = posixpath.relpath(target, home)
    if not asked.only_plan:
        replace_link(directories, path, new)
    return RelocatedEntry(inside, ("relative" if asked.relative else "link target",), 1)
