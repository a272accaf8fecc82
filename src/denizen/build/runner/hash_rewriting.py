"""Replacement of store hashes in a stream, and hashes that disregard an object's mentions of itself (pure).

Specification: Nix, src/libstore/references.cc (RewritingSink, HashModuloSink). An object that is named by its
content and mentions itself is hashed with its own hash part replaced by zero bytes; the places of those
are hashed behind the content (`|<offset>`), so that an object with zeros there already has another hash.
"""

from __future__ import annotations

from denizen.store.trees.reference_scanner import HASH_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from denizen.bytesio import Buffer


class HashRewriter:
    """Replaces hash parts by others of the same length, in a stream fed in pieces of any size."""

    def __init__(self, rewrites: Mapping[bytes, bytes]) -> None:
        import re

        assert all(len(old) == len(new) == HASH_LENGTH for old, new in rewrites.items())
        self._rewrites = rewrites
        self._pattern = re.compile(b"|".join(map(re.escape, rewrites))) if rewrites else None
        self._tail = b""
        self._passed = 0
        self.found: list[int] = []

    def feed(self, piece: Buffer) -> bytes:
        """Return the bytes that can be passed on; the last 31 stay for the next piece."""
        data = self._replaced(self._tail + bytes(piece))
        kept = min(HASH_LENGTH - 1, len(data))
        self._tail = data[len(data) - kept :]
        self._passed += len(data) - kept
        return data[: len(data) - kept]

    def finish(self) -> bytes:
        """Return the rest."""
        rest, self._tail = self._tail, b""
        return rest

    def _replaced(self, data: bytes) -> bytes:
        if self._pattern is None:
            return data
        found = [(match.start(), match.group()) for match in self._pattern.finditer(data)]
        if not found:
            return data
        edited = bytearray(data)
        for start, old in found:
            edited[start : start + HASH_LENGTH] = self._rewrites[old]
            self.found.append(self._passed + start)
        return bytes(edited)


def rewriting(pieces: Iterable[Buffer], rewrites: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """Yield a stream with hash parts replaced."""
    rewriter = HashRewriter(rewrites)
    for piece in pieces:
        yield rewriter.feed(piece)
    yield rewriter.finish()


def digest_modulo(pieces: Iterable[Buffer], algorithm: str, own: bytes) -> bytes:
    """Return the digest of a stream in which mentions of the hash part `own` count as zeros."""
    rewriter = HashRewriter({own: bytes(HASH_LENGTH)})
    import hashlib  # OpenSSL, 2.7 ms

    digest = hashlib.new(algorithm, usedforsecurity=False)
    for piece in pieces:
        digest.update(rewriter.feed(piece))
    digest.update(rewriter.finish())
    for place in rewriter.found:
        digest.update(b"|%d" % place)
    return digest.digest()


class PieceStream:
    """A stream of the pieces of an iterator."""

    def __init__(self, pieces: Iterable[Buffer]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, at least one; b"" only at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = bytes(piece)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
