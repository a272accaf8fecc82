"""Digests of NARs in one pass: SHA-256, length in bytes, and the store objects mentioned."""

from __future__ import annotations

from denizen.sha256 import Sha256
from denizen.store.nar_digest import Digest
from denizen.store.progress import ignore
from denizen.store.trees.dump import BUFFER, dump, fresh_buffer
from denizen.store.trees.reference_scanner import Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from queue import SimpleQueue
    from threading import Thread

    from denizen.bytesio import Buffer
    from denizen.formats.stream import Readable
    from denizen.store.progress import Told
    from denizen.store.trees.reference_scanner import Matcher


class Digester:
    """Computes hash, length and references of a NAR fed piece by piece."""

    def __init__(self, candidates: Iterable[bytes] = (), matcher: Matcher | None = None) -> None:
        self._sha256 = Sha256()
        self._size = 0
        self._scanner = Scanner(candidates, matcher)

    def feed(self, piece: Buffer) -> None:
        """Take the next bytes."""
        self._sha256.update(piece)
        self._size += len(piece)
        self._scanner.feed(piece)

    def result(self) -> Digest:
        """Return the digest of all bytes fed so far."""
        return Digest(self._sha256.digest(), self._size, self._scanner.found)


class DigestingStream:
    """A stream that feeds what is read through it to a digester."""

    def __init__(self, stream: Readable, digester: Digester) -> None:
        self._stream = stream
        self._digester = digester

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._stream.read(size)
        self._digester.feed(piece)
        return piece


def digest_stream(stream: Readable) -> Digest:
    """Return the digest of all of a stream."""
    digester = Digester()
    while piece := stream.read(BUFFER):
        digester.feed(piece)
    return digester.result()


def digest_tree(path: bytes, digester: Digester, told: Told = ignore) -> Digest:
    """Return the digest of the NAR of the tree at `path`; `told` is called with numbers of bytes read.

    A tree beyond the first buffer is read by this thread while another one hashes: hashlib releases the
    interpreter's lock, so on two cores the shorter of reading and hashing costs nothing. Measured over
    50,000 files, 860 MB: 0.72 s against 1.20 in one thread.

    Raises what `dump.dump` raises.
    """
    pipe = _Pipe(digester)

    def hand_over(piece: memoryview) -> memoryview:
        told(len(piece))
        return pipe.hand_over(piece)

    try:
        dump(path, hand_over, fresh_buffer())
    finally:
        pipe.finish()
    return digester.result()


class _Pipe:
    """Buffers passed from the reading thread to the hashing thread, and back."""

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._thread: Thread | None = None
        self._filled: SimpleQueue[memoryview | None]
        self._free: SimpleQueue[memoryview]
        self._failure: BaseException | None = None

    def hand_over(self, piece: memoryview) -> memoryview:
        """Have `piece` digested; return a buffer to fill meanwhile."""
        if self._thread is None:
            if len(piece) < BUFFER // 2:
                self._digester.feed(piece)
                return memoryview(piece.obj)
            self._start()
        self._filled.put(piece)
        return self._free.get()

    def finish(self) -> None:
        """Wait for the hashing thread to finish. Raises what it raised."""
        if self._thread is not None:
            self._filled.put(None)
            self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _start(self) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._filled, self._free = SimpleQueue(), SimpleQueue()
        self._free.put(fresh_buffer())
        self._thread = Thread(target=self._digest_all, daemon=True)
        self._thread.start()

    def _digest_all(self) -> None:
        while (piece := self._filled.get()) is not None:
            try:
                if self._failure is None:
                    self._digester.feed(piece)
            except BaseException as failure:  # noqa: BLE001  # handed to the thread that waits in finish()
                self._failure = failure
            self._free.put(memoryview(piece.obj))
