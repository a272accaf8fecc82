"""A binding to liblzma through ctypes: an .xz decoder with the interface of `lzma.LZMADecompressor`.

Python's `lzma` module is bound to the liblzma it was built with. Since 5.6 liblzma decodes with a range
decoder written for x86-64: 1.5 times as fast as 5.4. A newer one than the host's can be loaded beside it. It
gives the same bytes and refuses the same streams with the same messages, which tests check.

The C interface is stable since liblzma 5.0 (lzma/base.h, lzma/container.h). ctypes releases the
interpreter's lock during each call.
"""

from __future__ import annotations

import ctypes
import os

from denizen.formats.compression import BadXz
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# lzma/base.h: lzma_ret and lzma_action.
_OK, _STREAM_END, _NO_CHECK, _UNSUPPORTED_CHECK, _GET_CHECK, _MEMORY, _BUFFER = 0, 1, 2, 3, 4, 5, 10
_GOING_ON = (_OK, _NO_CHECK, _GET_CHECK)
_FINE = (*_GOING_ON, _STREAM_END)
_RUN = 0
# The messages of CPython's _lzma module (Modules/_lzmamodule.c, catch_lzma_error).
_WORDS = {
    _UNSUPPORTED_CHECK: "Unsupported integrity check",
    6: "Memory usage limit exceeded",
    7: "Input format not supported by decoder",
    8: "Invalid or unsupported options",
    9: "Corrupt input data",
    _BUFFER: "Insufficient buffer space",
    11: "Internal error",
}


class _Stream(ctypes.Structure):
    """lzma_stream of lzma/base.h."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_size_t),
        ("total_in", ctypes.c_uint64),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_size_t),
        ("total_out", ctypes.c_uint64),
        ("allocator", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
        ("reserved_pointers", ctypes.c_void_p * 4),
        ("seek_pos", ctypes.c_uint64),
        ("reserved_integer", ctypes.c_uint64),
        ("reserved_sizes", ctypes.c_size_t * 2),
        ("reserved_enums", ctypes.c_int * 2),
    )


class Liblzma(Value):
    """A loaded liblzma.

    Attributes:
        library: the ctypes library.
        version: `lzma_version_number`: 50080012 is 5.8.1, stable.
    """

    library: Any
    version: int

    def decoder(self, memory: int) -> XzDecoder:
        """Return a new decoder, which may allocate `memory` bytes."""
        return XzDecoder(self.library, memory)


def open_liblzma(path: bytes) -> Liblzma:
    """Load the liblzma at `path` into this process; given its soname, the host's.

    Raises OSError, AttributeError: it does not load, or is another library.
    """
    # DEEPBIND: its references to itself must not be bound to an older liblzma that Python is linked with.
    mode = os.RTLD_NOW | os.RTLD_LOCAL | getattr(os, "RTLD_DEEPBIND", 0)
    library = ctypes.CDLL(os.fsdecode(path), mode)
    library.lzma_version_number.restype = ctypes.c_uint32
    library.lzma_stream_decoder.argtypes = (ctypes.POINTER(_Stream), ctypes.c_uint64, ctypes.c_uint32)
    library.lzma_code.argtypes = (ctypes.POINTER(_Stream), ctypes.c_int)
    library.lzma_end.argtypes = (ctypes.POINTER(_Stream),)
    library.lzma_end.restype = None
    return Liblzma(library, library.lzma_version_number())


class XzDecoder:
    """A decoder of one .xz stream; like `lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit)`."""

    __slots__ = ("_held", "_library", "_place", "_stream", "eof", "needs_input", "unused_data")

    def __init__(self, library: Any, memory: int) -> None:  # a ctypes.CDLL has what attributes its file has
        self._library = library
        self._stream = _Stream()
        # Keeps the buffers alive that the C structure points into.
        self._held = b""
        self._place = ctypes.create_string_buffer(0)
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        code = library.lzma_stream_decoder(self._stream, memory, 0)
        if code != _OK:
            raise _error(code)

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """Return up to `max_length` more bytes of the unread input followed by `data`; -1 for all.

        Raises:
            BadXz: the stream is corrupt.
            EOFError: the stream has ended.
            MemoryError: an allocation failed.
        """
        if self.eof:
            raise EOFError("Already at end of stream")
        self._feed(data)
        if max_length >= 0:
            return self._some(max_length)
        pieces = []
        while piece := self._some(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def _feed(self, data: bytes) -> None:
        left = self._stream.avail_in
        self._held = self._held[len(self._held) - left :] + data if left else data
        self._stream.next_in = ctypes.cast(ctypes.c_char_p(self._held), ctypes.c_void_p)
        self._stream.avail_in = len(self._held)

    def _some(self, size: int) -> bytes:
        if self.eof or not size:
            return b""
        if len(self._place) < size:
            self._place = ctypes.create_string_buffer(size)
        stream = self._stream
        stream.next_out = ctypes.addressof(self._place)
        stream.avail_out = size
        code = self._library.lzma_code(stream, _RUN)
        # A call may return before either buffer is exhausted, at the end of a block.
        while code in _GOING_ON and stream.avail_out and stream.avail_in:
            code = self._library.lzma_code(stream, _RUN)
        if code == _BUFFER and not stream.avail_in and stream.avail_out:
            code = _OK  # it only needs more input
        if code not in _FINE:
            raise _error(code)
        if code == _STREAM_END:
            self.eof = True
            self.unused_data = self._held[len(self._held) - stream.avail_in :] if stream.avail_in else b""
        self.needs_input = not self.eof and not stream.avail_in and bool(stream.avail_out)
        return ctypes.string_at(self._place, size - stream.avail_out)

    def __del__(self) -> None:
        self._library.lzma_end(self._stream)


_PIECE = 256 * 1024


def _error(code: int) -> Exception:
    if code == _MEMORY:
        return MemoryError()
    return BadXz(_WORDS.get(code, f"Unrecognized error from liblzma: {code}"))
