"""Decompression of one block of a SquashFS image (pure over bytes).

The compressions are those of the kernel's fs/squashfs/squashfs_fs.h that Python decompresses. A block is one
stream of its compression, and must end within the size that the image states.
"""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.formats.compression import NoDecoder, xz_decoder, zstd_decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.formats.compression import Decoder


class BadSquashfs(BadInput):
    """Bytes are not a SquashFS image that can be read.

    Attributes:
        offset: byte of the image at which the fault was seen.
    """

    offset: int
    reason: str
    WHAT = "the SquashFS image is malformed at byte {offset}"
    WHY = "{reason:text}"


def expander(compression: str) -> Callable[[bytes, int, int], bytes]:
    """Return `expand(raw, limit, offset)`, which decompresses one block to at most `limit` bytes.

    Raises:
        NoDecoder: this Python has no zstd.
        BadSquashfs: a compression that no Python decompresses (lzo, lz4, lzma).
    """
    known = {"gzip": _gunzip, "xz": _unxz, "zstd": _unzstd}.get(compression)
    if known is None:
        raise BadSquashfs(20, f"it is compressed by {compression}, which denizen does not read")
    try:
        if known is not _gunzip:
            xz_decoder() if known is _unxz else zstd_decoder()
    except ImportError:
        raise NoDecoder("zst" if known is _unzstd else "xz", compression) from None
    return known


def _gunzip(raw: bytes, limit: int, offset: int) -> bytes:
    import zlib

    try:
        decoder = zlib.decompressobj()
        content = decoder.decompress(raw, limit + 1)
    except zlib.error as problem:
        raise BadSquashfs(offset, str(problem)) from problem
    return _bounded(content, limit, offset, ended=decoder.eof)


def _unxz(raw: bytes, limit: int, offset: int) -> bytes:
    return _decoded(xz_decoder(), raw, limit, offset)


def _unzstd(raw: bytes, limit: int, offset: int) -> bytes:
    return _decoded(zstd_decoder(), raw, limit, offset)


def _decoded(decoder: Decoder, raw: bytes, limit: int, offset: int) -> bytes:
    try:
        content = decoder.decompress(raw, limit + 1)
    except Exception as problem:  # each decoder has an error class of its own, none shares a base
        raise BadSquashfs(offset, str(problem)) from problem
    return _bounded(content, limit, offset, ended=decoder.eof)


def _bounded(content: bytes, limit: int, offset: int, *, ended: bool) -> bytes:
    if len(content) > limit or not ended:
        raise BadSquashfs(offset, f"a block that does not end within {limit} bytes")
    return content
