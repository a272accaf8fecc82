"""Compression of a bundle's blocks: LZMA, or Zstandard where unpacking would take long (decision 0012)."""

from __future__ import annotations

from denizen.app.bundles.errors import NoCompressor
from denizen.formats.bundle_image import BlockMethod, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from denizen.formats.bundle_image import ImageEntry

# Of Zstandard, where none is asked for.
ZSTD_LEVEL = 19
# LZMA is 7 % smaller and takes five times as long to expand, 14 ms a megabyte: half a second at most.
_MOST_LZMA = 32 << 20
_WINDOW_LOG = 24
# Files that a start looks at (loader/unpack/image_files.c): of more, what is loaded first must be in front.
_LOOKED_AT = 1000
# Machines whose code has the distances that formats.x86_addresses knows.
_X86 = "x86_64"


def packed_image(entries: Sequence[ImageEntry], machine: str, level: int | None) -> bytes:
    """Return the image of a bundle for a machine. Raises NoCompressor, BadImage.

    `level`: of Zstandard; None for what makes the smaller image, as long as its first start is no long wait.
    """
    x86 = machine == _X86
    if len(entries) < _LOOKED_AT:
        # Small files find more that they repeat behind large ones, 0.1 % of the image.
        entries = sorted(entries, key=lambda one: len(one.content), reverse=True)
    if level is None and sum(len(entry.content) for entry in entries) <= _MOST_LZMA:
        return encode(entries, lzma_streams(), method=BlockMethod.LZMA, x86=x86)
    return encode(entries, zstd_frames(level or ZSTD_LEVEL), x86=x86)


def lzma_streams() -> Callable[[bytes], bytes]:
    """Return a function that makes an LZMA stream, as loader/unpack/lzma.h has it. Raises NoCompressor."""
    try:
        import lzma
    except ImportError as problem:
        raise NoCompressor("LZMA", "give --level, for Zstandard") from problem
    form = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME}
    filters = [form | {"dict_size": 1 << _WINDOW_LOG, "lc": 3, "lp": 0, "pb": 2}]
    return lambda content: lzma.compress(content, format=lzma.FORMAT_RAW, filters=filters)


def zstd_frames(level: int) -> Callable[[bytes], bytes]:
    """Return a function that makes one zstd frame of its argument. Raises NoCompressor."""
    module = zstd_module()
    options = {
        module.CompressionParameter.compression_level: level,
        module.CompressionParameter.window_log: _WINDOW_LOG,
        module.CompressionParameter.checksum_flag: 0,
    }

    def compress(content: bytes) -> bytes:
        frame: bytes = module.compress(content, options=options)
        return frame

    return compress


def zstd_module() -> Any:  # one of two modules, of which one has no types here
    """Return the standard library's module (3.14) or its backport. Raises NoCompressor."""
    import importlib

    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise NoCompressor("Zstandard", "pip install 'denizen[zstd]'")
