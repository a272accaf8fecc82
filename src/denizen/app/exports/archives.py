"""Root file systems as one file: a tar archive, a SquashFS image."""

from __future__ import annotations

import os

from denizen.app.exports.atomic_output import staged_file
from denizen.exports.rootfs_tree import MODES
from denizen.formats.squashfs_writer import SUPERBLOCK_SIZE, write_image
from denizen.formats.tar_writer import write_tar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from denizen.app.exports.export_root import ExportRoot
else:
    Protocol = object

LEVEL = 15


class Packer(Protocol):
    """A compressor of a stream, as of zlib, lzma and zstd."""

    def compress(self, data: bytes, /) -> bytes:
        """Return what is ready of the compressed stream."""

    def flush(self) -> bytes:
        """Return the rest."""


class _Plain:
    """A packer that changes nothing."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def gzip_packer() -> Packer:
    """Return a packer whose stream has no time and no name."""
    import zlib

    return zlib.compressobj(6, wbits=31)


def xz_packer() -> Packer:
    """Return a packer for xz."""
    import lzma

    return lzma.LZMACompressor(preset=6)


def _zstd_packer() -> Packer:
    from denizen.app.bundles.compressors import zstd_module

    module = zstd_module()
    packer: Packer = module.ZstdCompressor(level=LEVEL)
    return packer


# By the end of a file's name.
_PACKERS: tuple[tuple[tuple[bytes, ...], Callable[[], Packer]], ...] = (
    ((b".gz", b".tgz"), gzip_packer),
    ((b".xz", b".txz"), xz_packer),
    ((b".zst", b".tzst"), _zstd_packer),
    ((b"",), _Plain),
)


def write_root_archive(root: ExportRoot, target: bytes) -> None:
    """Write a tar archive of a root, compressed as its name ends. Raises NoCompressor, DiskFailed."""
    packer = next(make() for ends, make in _PACKERS if target.endswith(ends))
    with staged_file(target) as stream:
        write_tar(root.tree.entries(), lambda piece: stream.write(packer.compress(piece)), modes=MODES)
        stream.write(packer.flush())


def write_root_image(root: ExportRoot, target: bytes, level: int = LEVEL) -> None:
    """Write a SquashFS image of a root, compressed by zstd. Raises NoCompressor, DiskFailed."""
    from denizen.app.bundles.compressors import zstd_frames

    compress = zstd_frames(level)
    with staged_file(target) as stream:
        stream.write(bytes(SUPERBLOCK_SIZE))
        made = write_image(root.tree.entries(), compress, stream.write, MODES)
        stream.seek(0, os.SEEK_SET)
        stream.write(made.superblock)
