"""Parser of Nix archives: from bytes to the entries of a tree (pure).

One pass, no recursion, memory for one block and the chain of open directories. Every violation of the
grammar and rules in `codec` ends the parsing with a `BadNar`; nothing is repaired or skipped.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats.entry_name import MAX_NAME, is_entry_name
from denizen.formats.file_tree import MAX_PATH, MAX_TARGET, Directory, File, Symlink, is_target
from denizen.formats.stream import BLOCK, ByteSource
from denizen.nar import codec
from denizen.value import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import Entry
    from denizen.formats.stream import Readable

_WORD = len(codec.CLOSE)
_REGULAR = codec.TYPE + codec.REGULAR
_SYMLINK = codec.TYPE + codec.SYMLINK
_KIND = len(_REGULAR)
_EXECUTABLE = codec.EXECUTABLE + codec.CONTENTS
_PLAIN = len(codec.CONTENTS)
# The bytes between a file's name and its content's length, and those after its content, indexed by the
# length of the name or content modulo eight: they begin with its padding.
_PLAIN_FILE = tuple([padding + codec.NODE + _REGULAR + codec.CONTENTS for padding in codec.PADDING])
_EXECUTABLE_FILE = tuple([padding + codec.NODE + _REGULAR + _EXECUTABLE for padding in codec.PADDING])
_FILE_END = tuple([padding + codec.END for padding in codec.PADDING])
# Bytes of a file's entry before its content, at most.
_LONGEST_HEAD = len(codec.NAMED) + 8 + MAX_NAME + len(_EXECUTABLE_FILE[1]) + 8


class NarRule(Enum):
    """The rules an archive can break, in words."""

    MAGIC = "it does not begin with nix-archive-1"
    TOKEN = "the grammar wants another token"  # noqa: S105 - a token of a grammar, not a password
    PADDING = "padding that is not zero"
    NAME = "a name that is empty, '.', '..', over 255 bytes, or holds '/' or NUL"
    ORDER = "names that are not strictly increasing"
    DEPTH = f"more than {codec.MAX_DEPTH} directories inside one another"
    PATH = f"a path of more than {MAX_PATH} bytes"
    TARGET = f"a link target that is empty, over {MAX_TARGET} bytes, or holds NUL"
    SIZE = f"a length of more than {codec.MAX_SIZE}"
    TRAILING = "bytes after the end"


class BadNar(BadInput):
    """An archive breaks a rule.

    Attributes:
        rule: the rule.
        offset: offset in the archive behind the last byte that was read.
        path: the entry being read, or the last one.
    """

    rule: NarRule
    offset: int
    path: bytes

    @property
    def what(self) -> str:
        return f"the Nix archive is malformed at byte {self.offset}, in '{display(self.path) or '.'}'"

    @property
    def why(self) -> str:
        return self.rule.value


def read(stream: Readable, *, ordered: bool = True) -> Iterator[Entry]:
    """Yield the entries of an archive that fills the whole stream.

    Unless `ordered`, the names of a directory may come in any order, each once: a stream whose names were
    rewritten is no archive, but says what the tree is.

    Raises:
        BadNar: the archive breaks a rule, or bytes follow its end.
        Truncated: the stream ends before the archive does.
    """
    source = ByteSource(stream)
    yield from _NarReader(source, ordered=ordered).entries()
    if not source.at_end():
        raise BadNar(NarRule.TRAILING, source.position, b"")


def read_from(source: ByteSource) -> Iterator[Entry]:
    """Yield the entries of an archive inside a longer stream; afterwards the source is positioned behind it.

    Raises:
        BadNar: the archive breaks a rule.
        Truncated: the stream ends before the archive does.
    """
    return _NarReader(source).entries()


class _NarReader:
    """The position in the archive.

    Attributes:
        path: the entry being read, for errors.
        outer: the directories around the current one, each with the last name read in it.
        content_end: the offset behind the content of the last file begun.
        read: the paths read so far, where names may come in any order; else None.
    """

    __slots__ = ("content_end", "outer", "path", "read", "source")

    def __init__(self, source: ByteSource, *, ordered: bool = True) -> None:
        self.source = source
        self.read: set[bytes] | None = None if ordered else set()
        self.path = b""
        self.outer: list[tuple[bytes, bytes]] = []
        self.content_end = 0

    def entries(self) -> Iterator[Entry]:
        self._want(codec.MAGIC, NarRule.MAGIC)
        top = self._object()
        yield top
        if isinstance(top, Directory):
            yield from self._below()
        else:
            self._finish(top)
        self._want(codec.CLOSE)

    def _below(self) -> Iterator[Entry]:
        """Yield everything inside the top, up to its closing token, which the caller reads."""
        parent, last = b"", b""
        while True:
            whole = self._file_at_once(parent, last)
            if whole is not None:
                last, file = whole
                yield file
                self._want(codec.END)
                continue
            if not self._another():
                if not self.outer:
                    return
                self._want(codec.END)
                parent, last = self.outer.pop()
                continue
            last = self._name(parent, last)
            entry = self._object()
            yield entry
            if isinstance(entry, Directory):
                self._descend(parent, last)
                parent, last = entry.path, b""
            else:
                self._finish(entry)
                self._want(codec.END)

    def _file_at_once(self, parent: bytes, last: bytes) -> tuple[bytes, File] | None:
        """Return the next entry in `parent` with its name, if it is a valid file wholly in the buffer.

        In every other case, violations included, nothing is consumed and the result is None: the rest of the
        reader handles it. Most files are read here, with a tenth of the calls.
        """
        buffer, at = self.source.window()
        if len(buffer) - at < _LONGEST_HEAD or not buffer.startswith(codec.NAMED, at):
            return None
        start = at + len(codec.NAMED) + 8
        at = start + codec.length_at(buffer, start - 8)
        name = buffer[start:at]
        path = b"%b/%b" % (parent, name) if parent else name
        if not (name > last and self.read is None and is_entry_name(name) and len(path) <= MAX_PATH):
            return None
        executable = not buffer.startswith(_PLAIN_FILE[len(name) & 7], at)
        head = (_EXECUTABLE_FILE if executable else _PLAIN_FILE)[len(name) & 7]
        if executable and not buffer.startswith(head, at):
            return None
        start = at + len(head) + 8
        at = start + codec.length_at(buffer, start - 8)
        if not buffer.startswith(_FILE_END[at - start & 7], at):
            return None
        self.path = path
        self.source.advance(at + (start - at & 7))
        return name, File(path, executable, at - start, (memoryview(buffer)[start:at],))

    def _another(self) -> bool:
        """Return whether an entry begins here; its token is consumed then, a closing token is not."""
        word = self.source.peek(_WORD)
        if word == codec.CLOSE:
            return False
        self._want(codec.ENTRY)
        return True

    def _descend(self, parent: bytes, last: bytes) -> None:
        self.outer.append((parent, last))
        if len(self.outer) >= codec.MAX_DEPTH:
            raise self._broken(NarRule.DEPTH)

    def _name(self, parent: bytes, last: bytes) -> bytes:
        """Read the next name in `parent`, which must sort after `last`; make it the path being read."""
        self._want(codec.NAME)
        name = self._string(MAX_NAME, NarRule.NAME)
        if not is_entry_name(name):
            raise self._broken(NarRule.NAME)
        self.path = b"%b/%b" % (parent, name) if parent else name
        if len(self.path) > MAX_PATH:
            raise self._broken(NarRule.PATH)
        if name <= last if self.read is None else self.path in self.read:
            raise self._broken(NarRule.ORDER)
        if self.read is not None:
            self.read.add(self.path)
        self._want(codec.NODE)
        return name

    def _object(self) -> Entry:
        """Read an object up to its closing token, or up to a file's content where that is long."""
        kind = self.source.take(_KIND, "an object's type")
        if kind == _REGULAR:
            return self._file()
        if kind == _SYMLINK:
            self._want(codec.TARGET)
            target = self._string(MAX_TARGET, NarRule.TARGET)
            if not is_target(target):
                raise self._broken(NarRule.TARGET)
            return Symlink(self.path, target)
        if kind != codec.DIRECTORY_NODE[:_KIND]:
            raise self._broken(NarRule.TOKEN)
        self._want(codec.DIRECTORY_NODE[_KIND:])
        return Directory(self.path)

    def _file(self) -> File:
        executable = self.source.peek(_PLAIN) != codec.CONTENTS
        self._want(_EXECUTABLE if executable else codec.CONTENTS)
        size = self._length()
        if size > BLOCK:
            self.content_end = self.source.position + size
            return File(self.path, executable, size, self.source.chunks(size, "a file's content"))
        content = self.source.pieces(size, "a file's content")
        self._want(codec.padding(size), NarRule.PADDING)
        return File(self.path, executable, size, content)

    def _finish(self, entry: Entry) -> None:
        """Skip the part of a long file's content that the consumer did not read, and its padding."""
        if isinstance(entry, File) and entry.size > BLOCK:
            self.source.skip(self.content_end - self.source.position, "a file's content")
            self._want(codec.padding(entry.size), NarRule.PADDING)

    def _string(self, limit: int, rule: NarRule) -> bytes:
        size = self._length()
        if size > limit:
            raise self._broken(rule)
        return self._padded(size, "a string")

    def _length(self) -> int:
        size = codec.unpack_length(self.source.take(8, "a length"))
        if size > codec.MAX_SIZE:
            raise self._broken(NarRule.SIZE)
        return size

    def _padded(self, size: int, structure: str) -> bytes:
        content = self.source.take(size, structure)
        if size & 7:
            self._want(codec.padding(size), NarRule.PADDING)
        return content

    def _want(self, token: bytes, rule: NarRule = NarRule.TOKEN) -> None:
        if self.source.take(len(token), "a token") != token:
            raise self._broken(rule)

    def _broken(self, rule: NarRule) -> BadNar:
        return BadNar(rule, self.source.position, self.path)
