"""Exact reads from streams of untrusted bytes, with the position for errors (pure).

NAR, ar and tar are read through a `ByteSource`, so that each parser asks for "the next 60 bytes", and
streams that end early or deliver one byte at a time are handled only here.
"""

from __future__ import annotations

from denizen.bytesio import Truncated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from denizen.bytesio import Buffer
else:
    Protocol = object

# Bytes read from the stream at once. Larger blocks were not faster in hashing or unpacking, and do not fit
# the second-level cache.
BLOCK = 256 * 1024


class Readable(Protocol):
    """A stream of bytes: a file opened in binary mode, a pipe, a decompressor."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, at least one; b"" only at the end."""


class ByteSource:
    """A `Readable` with exact reads, a position, and lookahead.

    It reads ahead, so once a stream has been given to a ByteSource, only the ByteSource may be read.
    """

    __slots__ = ("_at", "_before", "_buffer", "_stream")

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """The number of bytes consumed so far."""
        return self._before + self._at

    def take(self, size: int, structure: str) -> bytes:
        """Return exactly the next `size` bytes, all in memory: the caller must bound `size`.

        `structure` names the structure in errors.

        Raises:
            Truncated: the stream ends first.
        """
        end = self._at + size
        if end > len(self._buffer):
            self._fill(size)
            end = self._at + size
            if end > len(self._buffer):
                raise Truncated(structure, self.position, size, self._before + len(self._buffer))
        piece = self._buffer[self._at : end]
        self._at = end
        return piece

    def pieces(self, size: int, structure: str) -> tuple[Buffer, ...]:
        """Return exactly the next `size` bytes without copying, in as many pieces as they arrived in.

        Raises:
            Truncated: the stream ends first.
        """
        end = self._at + size
        if end <= len(self._buffer):
            piece = memoryview(self._buffer)[self._at : end]
            self._at = end
            return (piece,)
        return tuple(self.chunks(size, structure))

    def window(self) -> tuple[bytes, int]:
        """Return the buffer and the position of the next byte in it, for looking ahead."""
        return self._buffer, self._at

    def advance(self, at: int) -> None:
        """Move to the byte at `at` of the window."""
        self._at = at

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without consuming them, or as many as there are."""
        end = self._at + size
        if end > len(self._buffer):
            self._fill(size)
            end = self._at + size
        return self._buffer[self._at : end]

    def chunks(self, size: int, structure: str) -> Iterator[Buffer]:
        """Yield the next `size` bytes in pieces of at most a block, as they arrive.

        Raises:
            Truncated: the stream ends first.
        """
        left = size
        while left:
            if self._at == len(self._buffer):
                self._more()
                if not self._buffer:
                    raise Truncated(structure, self.position, left, self.position)
            piece = memoryview(self._buffer)[self._at : self._at + left]
            self._at += len(piece)
            left -= len(piece)
            yield piece

    def skip(self, size: int, structure: str) -> None:
        """Skip `size` bytes.

        Raises:
            Truncated: the stream ends first.
        """
        for _ in self.chunks(size, structure):
            pass

    def at_end(self) -> bool:
        """Return whether the stream has ended."""
        if self._at == len(self._buffer):
            self._fill(1)
        return self._at == len(self._buffer)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, so that a ByteSource is a `Readable` itself."""
        return self._some(size)

    def _some(self, limit: int) -> bytes:
        held = self._buffer
        if self._at < len(held):
            piece = held[self._at : self._at + limit]
            self._at += len(piece)
            return piece
        piece = self._stream.read(min(limit, BLOCK))
        self._before += self._at + len(piece)
        self._buffer, self._at = b"", 0
        return piece

    def _more(self) -> None:
        """Replace the buffer, all of which was consumed, by the stream's next block."""
        self._before += self._at
        self._buffer, self._at = self._stream.read(BLOCK), 0

    def _fill(self, size: int) -> None:
        """Buffer at least `size` bytes from the current position, or all there are."""
        pieces = [self._buffer[self._at :]]
        held = len(pieces[0])
        while held < size:
            piece = self._stream.read(BLOCK)
            if not piece:
                break
            pieces.append(piece)
            held += len(piece)
        self._before += self._at
        self._buffer, self._at = b"".join(pieces), 0


class Portion:
    """The next `size` bytes of a ByteSource as a stream of their own: a member of an archive.

    Its creator calls `finish` before reading on, so that bytes the reader left are skipped.
    """

    __slots__ = ("_left", "_source", "_structure")

    def __init__(self, source: ByteSource, size: int, structure: str) -> None:
        self._source = source
        self._left = size
        self._structure = structure

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; b"" at the portion's end.

        Raises:
            Truncated: the stream ends before the portion does.
        """
        piece = self._source.read(min(size, self._left))
        if not piece and self._left and size:
            raise Truncated(self._structure, self._source.position, self._left, self._source.position)
        self._left -= len(piece)
        return piece

    def finish(self) -> None:
        """Skip the rest.

        Raises:
            Truncated: the stream ends before the portion does.
        """
        while self._left:
            self.read(BLOCK)
