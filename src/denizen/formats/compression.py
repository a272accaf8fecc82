"""Decompression of streams, with a bound on the ratio of output to input (pure).

Formats: gzip (RFC 1952), xz (The .xz File Format 1.2), bzip2, and zstd (RFC 8878), each possibly
several streams one after the other, as their own tools accept; and uncompressed data.

A bomb is a small file that expands to a huge one: 10 GB of zeros are 7 kB in bzip2. The output may have
`FLOOR` bytes and `RATIO` times the input's. Debian's packages expand to less than 200 times their
size; text compresses to about a tenth. The memory a decoder may allocate is bounded too.
"""

from __future__ import annotations

import zlib

from denizen.errors import BadInput, HostLacks
from denizen.formats.stream import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeAlias

    from denizen.formats.stream import Readable

    class Decoder(Protocol):
        """The common interface of the decompressors of lzma, bz2 and zstd."""

        @property
        def eof(self) -> bool: ...
        @property
        def needs_input(self) -> bool: ...
        @property
        def unused_data(self) -> bytes: ...
        def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...

    # Returns a decoder of one .xz stream that may allocate so many bytes, or None if there is none.
    XzMaker: TypeAlias = Callable[[int], Decoder | None]


FLOOR = 64 * 1024 * 1024
RATIO = 1000
# `xz -9` needs 65 MiB to decompress; a header can ask for 4 GiB.
_XZ_MEMORY = 256 * 1024 * 1024


class BadCompression(BadInput):
    """A compressed stream is corrupt, truncated, or in a format that denizen does not know."""

    format: str
    reason: str
    WHAT = "the {format:text} stream cannot be decompressed"
    WHY = "{reason:text}"


class BadXz(BadInput):
    """The error of a preferred decoder (`prefer_xz`), where lzma would raise its LZMAError."""

    reason: str
    WHAT = "{reason:text}"


class Bomb(BadInput):
    """A stream expands beyond the allowed ratio."""

    format: str
    consumed: int
    produced: int
    WHAT = "the {format:text} stream expands out of proportion; it was not unpacked further"
    WHY = "{consumed} bytes have become {produced}, and more would follow"


class NoDecoder(HostLacks):
    """This Python lacks a decompressor."""

    format: str
    package: str
    WHAT = "cannot decompress {format:text} here"
    WHY = "this Python has no {package:text}"

    @property
    def remedy(self) -> str:
        return "pip install 'denizen[zstd]'" if self.format == "zst" else "use a Python built with it"


class Expanded:
    """The decompressed content of a stream, as a stream.

    Attributes:
        consumed, produced: bytes in and out so far.
    """

    __slots__ = ("_decoder", "_format", "_pending", "_stream", "consumed", "produced")

    def __init__(self, stream: Readable, format_name: str) -> None:
        self._stream = stream
        self._format = format_name
        self._decoder = _decoder(format_name)
        self._pending = b""
        self.consumed = 0
        self.produced = 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; b"" at the end.

        Raises:
            BadCompression: the stream is corrupt or truncated.
            Bomb: it expands beyond the allowed ratio.
        """
        while True:
            if self._decoder.eof and not self._next_stream():
                return b""
            piece = self._decode(size)
            if piece:
                self.produced += len(piece)
                if self.produced > FLOOR + RATIO * self.consumed:
                    raise Bomb(self._format, self.consumed, self.produced)
                return piece

    def _decode(self, size: int) -> bytes:
        if self._decoder.needs_input and not self._decoder.eof:
            fed, self._pending = self._pending or self._more(), b""
            if not fed:
                raise BadCompression(self._format, "it is cut short")
        else:
            fed = b""
        try:
            return self._decoder.decompress(fed, size)
        except MemoryError:
            raise
        except Exception as error:
            # lzma.LZMAError, OSError (bz2), zlib.error, ZstdError and BadXz have no common
            # root, and naming them would import all these modules.
            raise BadCompression(self._format, str(error)) from error

    def _next_stream(self) -> bool:
        """Prepare the decoder of the next concatenated stream; return False if there is none."""
        self._pending = self._decoder.unused_data or self._more()
        if not self._pending:
            return False
        self._decoder = _decoder(self._format)
        return True

    def _more(self) -> bytes:
        piece = self._stream.read(BLOCK)
        self.consumed += len(piece)
        return piece


def expanded(stream: Readable, format_name: str) -> Readable:
    """Return the content of a stream compressed as `format_name`: gz, xz, bz2, zst, or "" for not at all.

    Raises:
        NoDecoder: this Python cannot decompress the format.
        BadCompression: the format is unknown.
    """
    return Expanded(stream, format_name) if format_name else stream


class _Gzip:
    """zlib's decoder with the interface of the others."""

    __slots__ = ("_zlib",)

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail or data, max(max_length, 0))


# The maker of xz decoders set by `prefer_xz`, if any.
_preferred: list[XzMaker] = []


def prefer_xz(maker: XzMaker | None) -> None:
    """Use decoders made by `maker` for .xz streams; None: use the standard library's lzma again.

    Applies to this process. A decoder has to give the same bytes and refuse the same streams as lzma's:
    tests/contract/test_liblzma.py.
    """
    _preferred[:] = [maker] if maker is not None else []


def _decoder(format_name: str) -> Decoder:
    if format_name == "gz":
        return _Gzip()
    if format_name not in ("xz", "bz2", "zst"):
        raise BadCompression(format_name, "denizen knows gz, xz, bz2 and zst")
    try:
        if format_name == "xz":
            return xz_decoder()
        if format_name == "bz2":
            import bz2

            return bz2.BZ2Decompressor()
        return zstd_decoder()
    except ImportError:
        package = {"xz": "lzma", "bz2": "bz2", "zst": "zstd"}[format_name]
        raise NoDecoder(format_name, package) from None


def xz_decoder() -> Decoder:
    """Return a decoder for one .xz stream. Raises ImportError: there is none."""
    if _preferred and (decoder := _preferred[0](_XZ_MEMORY)) is not None:
        return decoder

    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def zstd_decoder() -> Decoder:
    """Return a decoder for one zstd stream, from the standard library (3.14) or its backport.

    Raises ImportError: there is neither.
    """
    import importlib

    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        module = importlib.import_module("backports.zstd")
    decoder: Decoder = module.ZstdDecompressor()
    return decoder
