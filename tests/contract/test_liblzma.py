"""One suite over both decoders of .xz streams: Python's lzma, and liblzma through ctypes.

Both use the host's liblzma here: what is held to the contract is the way to it.
"""

from __future__ import annotations

import io
import lzma
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.build.liblzma import open_liblzma
from denizen.formats import compression
from denizen.formats.compression import BadCompression, BadXz, Bomb, expanded
from denizen.formats.inflate import BadStream, decompressed
from tests.support.generated_trees import ShortReads, drain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.compression import Decoder, XzMaker

MEMORY = 256 * 1024 * 1024
OWN = open_liblzma(b"liblzma.so.5")
X86 = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1}]
CHECKS = (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256)
TEXT = bytes(range(256)) * 40


def from_library(memory: int) -> Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory)


MAKERS: dict[str, XzMaker] = {"lzma": from_library, "ctypes": OWN.decoder}
both = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)


@pytest.fixture(autouse=True)
def no_preference() -> Iterator[None]:
    yield
    compression.prefer_xz(None)


def fed(decoder: Decoder, content: bytes, pieces: list[int], sizes: list[int]) -> tuple[bytes, str]:
    """What comes out when so much goes in and is asked for in turn; and the refusal."""
    out, at, turn = b"", 0, 0
    try:
        while not decoder.eof:
            data = b""
            if decoder.needs_input:
                data = content[at : at + pieces[turn % len(pieces)]]
                at += len(data)
                if not data:
                    return out, "cut short"
            out += decoder.decompress(data, sizes[turn % len(sizes)])
            turn += 1
    except (lzma.LZMAError, BadXz, MemoryError) as refusal:
        return out, str(refusal) or type(refusal).__name__
    return out, (decoder.unused_data + content[at:]).hex()


@given(
    content=st.binary(max_size=600).map(lambda text: text * 7),
    form=st.sampled_from([*({"check": check} for check in CHECKS), {"filters": X86}]),
    behind=st.sampled_from([b"", b"x", bytes(4), lzma.compress(b"more")]),
    pieces=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=4),
)
def test_in_any_pieces_the_same_comes_out(
    content: bytes, form: dict[str, Any], behind: bytes, pieces: list[int], sizes: list[int]
) -> None:
    packed = lzma.compress(content, **form) + behind
    expected = (content, behind.hex())
    assert fed(from_library(MEMORY), packed, pieces, sizes) == expected
    assert fed(OWN.decoder(MEMORY), packed, pieces, sizes) == expected


@given(
    place=st.integers(0, 10**6),
    value=st.integers(0, 255),
    cut=st.integers(0, 40),
    pieces=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=4),
)
def test_what_is_damaged_is_refused_at_the_same_byte_in_the_same_words(
    place: int, value: int, cut: int, pieces: list[int], sizes: list[int]
) -> None:
    packed = bytearray(lzma.compress(TEXT, filters=X86))
    packed[place % len(packed)] = value
    damaged = bytes(packed[: len(packed) - cut])
    expected = fed(from_library(MEMORY), damaged, pieces, sizes)
    assert fed(OWN.decoder(MEMORY), damaged, pieces, sizes) == expected


@both
def test_all_at_once(maker: XzMaker) -> None:
    decoder = maker(MEMORY)
    assert decoder is not None
    assert decoder.decompress(lzma.compress(TEXT * 99) + b"rest") == TEXT * 99
    assert (decoder.eof, decoder.needs_input, decoder.unused_data) == (True, False, b"rest")
    with pytest.raises(EOFError, match="Already at end of stream"):
        decoder.decompress(b"more")


@both
def test_memory_is_bounded(maker: XzMaker) -> None:
    # Its header asks for a dictionary of 64 MiB.
    packed = lzma.compress(b"x", preset=9)
    decoder = maker(1024 * 1024)
    assert decoder is not None
    with pytest.raises((lzma.LZMAError, BadXz), match="Memory usage limit exceeded"):
        decoder.decompress(packed)


@both
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_several_streams_are_one_content(maker: XzMaker, step: int) -> None:
    compression.prefer_xz(maker)
    packed = lzma.compress(b"one") + lzma.compress(b"") + lzma.compress(b"two")
    assert drain(expanded(ShortReads(packed, step), "xz")) == b"onetwo"


@both
def test_a_stream_cut_at_any_byte_is_refused(maker: XzMaker) -> None:
    compression.prefer_xz(maker)
    packed = lzma.compress(b"some text to compress")
    for size in range(len(packed)):
        with pytest.raises(BadCompression):
            drain(expanded(io.BytesIO(packed[:size]), "xz"))


@both
def test_a_bomb_is_stopped(maker: XzMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "FLOOR", 1000)
    compression.prefer_xz(maker)
    with pytest.raises(Bomb):
        drain(expanded(io.BytesIO(lzma.compress(bytes(10_000_000))), "xz"))


@both
def test_an_archive_s_index_is_read_and_its_damage_told(maker: XzMaker) -> None:
    compression.prefer_xz(maker)
    packed = lzma.compress(TEXT)
    assert b"".join(decompressed([packed[:50], packed[50:]], ".xz", 1 << 20)) == TEXT
    with pytest.raises(BadStream, match="Corrupt input data"):
        list(decompressed([packed[:50] + b"?" * 40 + packed[90:]], ".xz", 1 << 20))


def test_a_maker_that_has_none_leaves_it_to_the_standard_library() -> None:
    compression.prefer_xz(lambda _: None)
    assert drain(expanded(io.BytesIO(lzma.compress(TEXT)), "xz")) == TEXT


def test_what_is_no_liblzma_is_not_opened() -> None:
    with pytest.raises(AttributeError):
        open_liblzma(b"libc.so.6")
    with pytest.raises(OSError, match="cannot open shared object"):
        open_liblzma(b"/nonexistent/liblzma.so.5")
