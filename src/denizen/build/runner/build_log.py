"""Logs of builds: written compressed while a builder speaks, and read back.

A log lies at `<store>/.denizen/logs/<two digits>/<rest of the .drv's name>.gz`, as Nix places its own. A log
of a build that was killed lacks gzip's end, and is read as far as it goes.
"""

from __future__ import annotations

import contextlib
import os
import time
import zlib

from denizen.disk import OPEN_NEW, make_directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

# What is compressed is written out at latest after this time, so that a reader can follow.
_FLUSH_SECONDS = 1.0
_BLOCK = 64 * 1024
_TAIL_BYTES = 64 * 1024
# zlib's window for gzip's frame.
_GZIP = 31


def log_directory(layout: StoreLayout) -> bytes:
    """Return the directory of a store's logs."""
    return layout.state + b"/logs"


def log_path(layout: StoreLayout, drv: StorePath) -> bytes:
    """Return where the log of the last build of a derivation is."""
    base = drv.base.encode("ascii")
    return b"%b/%b/%b.gz" % (log_directory(layout), base[:2], base[2:])


class BuildLog:
    """The log of one build, which replaces that of the one before when it is closed or read.

    A full disk ends the log, not the build.
    """

    def __init__(self, path: bytes) -> None:
        self._path = path
        self._descriptor = -1
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._flushed = 0.0
        self._recent = b""
        self.size = 0
        with contextlib.suppress(OSError):
            make_directories(os.path.dirname(path))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._descriptor = os.open(path, OPEN_NEW, 0o644)

    def write(self, piece: bytes) -> None:
        """Add what the builder said."""
        self.size += len(piece)
        self._recent = (self._recent + piece)[-_TAIL_BYTES:]
        if self._descriptor < 0:
            return
        packed = self._compressor.compress(piece)
        now = time.monotonic()
        if now - self._flushed > _FLUSH_SECONDS:
            packed += self._compressor.flush(zlib.Z_SYNC_FLUSH)
            self._flushed = now
        self._put(packed)

    def tail(self, lines: int) -> list[bytes]:
        """Return the last lines."""
        return (
            self._recent.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")[-lines:] if self._recent else []
        )

    def close(self) -> None:
        """Complete the log."""
        if self._descriptor >= 0:
            self._put(self._compressor.flush())
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, packed: bytes) -> None:
        try:
            while packed:
                packed = packed[os.write(self._descriptor, packed) :]
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1


def read_log(path: bytes) -> Iterator[bytes]:
    """Yield a log's content in pieces, up to where it breaks off.

    Raises OSError where it cannot be opened.
    """
    unpacker = zlib.decompressobj(_GZIP)
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            while block:
                try:
                    yield unpacker.decompress(block, _BLOCK)
                except zlib.error:
                    return
                block = unpacker.unconsumed_tail
    yield unpacker.flush()
