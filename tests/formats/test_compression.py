import bz2
import gzip
import importlib
import io
import lzma
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from denizen.app.bundles.compressors import zstd_module
from denizen.formats import compression
from denizen.formats.compression import BadCompression, Bomb, NoDecoder, expanded
from denizen.formats.stream import Readable
from tests.support.generated_trees import ShortReads, drain


def zstd(content: bytes) -> bytes:
    packed: bytes = zstd_module().compress(content)
    return packed


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstd,
    "": lambda content: content,
}
TEXT = bytes(range(256)) * 40
packed = pytest.mark.parametrize("name", [name for name in COMPRESS if name])


@pytest.mark.parametrize("name", list(COMPRESS))
@pytest.mark.parametrize("step", [1, 2, 3, 7, 100, 100_000])
def test_what_was_compressed_comes_out_whatever_the_pieces(name: str, step: int) -> None:
    assert drain(expanded(ShortReads(COMPRESS[name](TEXT), step), name)) == TEXT


@packed
def test_small_reads_give_the_same(name: str) -> None:
    stream = expanded(io.BytesIO(COMPRESS[name](TEXT)), name)
    assert b"".join(iter(lambda: stream.read(13), b"")) == TEXT


@packed
def test_several_streams_are_one_content(name: str) -> None:
    content = COMPRESS[name](b"one") + COMPRESS[name](b"") + COMPRESS[name](b"two")
    for step in (1, 10, 1000):
        assert drain(expanded(ShortReads(content, step), name)) == b"onetwo"


@packed
def test_a_stream_cut_at_any_byte_is_refused(name: str) -> None:
    content = COMPRESS[name](b"some text to compress")
    for size in range(len(content)):
        with pytest.raises(BadCompression):
            drain(expanded(io.BytesIO(content[:size]), name))


@packed
def test_garbage_is_refused(name: str) -> None:
    for content in (b"garbage of some length", COMPRESS[name](b"x") + b"garbage of some length"):
        with pytest.raises(BadCompression):
            drain(expanded(io.BytesIO(content), name))


def bomb() -> bytes:
    """Ten gigabytes of zeros in some ten kilobytes of bzip2."""
    # Each stream is 45 bytes for 45 million zeros; 230 of them are 10.35 GB.
    return bz2.compress(bytes(45_000_000)) * 230


def swallow(stream: Readable) -> None:
    while stream.read(65536):
        pass


def test_ten_gigabytes_in_ten_kilobytes_are_stopped_early_in_little_memory() -> None:
    content = bomb()
    assert len(content) < 12_000
    tracemalloc.start()
    try:
        with pytest.raises(Bomb) as caught:
            swallow(expanded(io.BytesIO(content), "bz2"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.produced < compression.FLOOR + compression.RATIO * len(content) + 65536
    assert peak < 16 * 1024 * 1024


def test_an_xz_header_that_wants_gigabytes_of_memory_is_refused() -> None:
    content = bytearray(lzma.compress(b"x" * 100))
    # The block header: its size, flags, LZMA2 (0x21) with one byte of properties (the dictionary), CRC.
    assert content[12:16] == b"\x02\0\x21\x01"
    content[16] = 40
    content[20:24] = zlib.crc32(content[12:20]).to_bytes(4, "little")
    with pytest.raises(BadCompression, match="Memory usage limit"):
        drain(expanded(io.BytesIO(bytes(content)), "xz"))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadCompression, match="knows gz"):
        expanded(io.BytesIO(b""), "lz4")


@pytest.mark.parametrize(("name", "module"), [("zst", "backports.zstd"), ("xz", "lzma"), ("bz2", "bz2")])
def test_a_python_without_the_decoder_says_what_would_help(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, module, None)
    monkeypatch.setitem(importlib.import_module("sys").modules, "compression.zstd", None)
    with pytest.raises(NoDecoder) as caught:
        expanded(io.BytesIO(b""), name)
    assert caught.value.remedy
