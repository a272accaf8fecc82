import builtins
import gzip
import lzma
import random
import sys
from typing import Any

import pytest

from denizen.formats.inflate import BadStream, decompressed

TEXT = b"".join(b"line %d\n" % number for number in range(20_000))
STREAMS = {".gz": gzip.compress(TEXT), ".xz": lzma.compress(TEXT), "": TEXT}


@pytest.fixture(params=["isal", "zlib"])
def accelerator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to read gzip: with isal, and as on a machine that lacks it."""
    if request.param == "zlib":
        real = builtins.__import__

        def without_isal(name: str, *arguments: Any) -> Any:
            if name == "isal":
                raise ImportError(name)
            return real(name, *arguments)

        monkeypatch.delitem(sys.modules, "isal", raising=False)
        monkeypatch.setattr(builtins, "__import__", without_isal)


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize("suffix", STREAMS)
@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_what_was_compressed_comes_back_wherever_chunks_are_cut(suffix: str, size: int) -> None:
    data = STREAMS[suffix]
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(decompressed(chunks, suffix, len(TEXT))) == TEXT


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_members_may_follow_each_other(suffix: str) -> None:
    assert b"".join(decompressed([STREAMS[suffix] * 2], suffix, 2 * len(TEXT))) == TEXT * 2


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_stream_cut_anywhere_is_refused(suffix: str) -> None:
    data = STREAMS[suffix]
    for cut in random.Random(4).sample(range(1, len(data)), 20):
        with pytest.raises(BadStream):
            list(decompressed([data[:cut]], suffix, len(TEXT)))


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_damaged_stream_is_refused_or_still_bounded(suffix: str) -> None:
    data = bytearray(STREAMS[suffix])
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(BadStream):
        list(decompressed([bytes(data)], suffix, len(TEXT)))


@pytest.mark.parametrize("suffix", STREAMS)
def test_more_than_was_promised_is_refused(suffix: str) -> None:
    with pytest.raises(BadStream, match="more than"):
        list(decompressed([STREAMS[suffix]], suffix, len(TEXT) - 1))
