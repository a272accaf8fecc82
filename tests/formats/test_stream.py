import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.formats.stream import BLOCK, ByteSource
from tests.support.generated_trees import ShortReads, drain

moves = st.lists(
    st.tuples(st.sampled_from(["take", "peek", "chunks", "skip", "read", "at_end"]), st.integers(0, 40))
)


@given(st.binary(max_size=200), st.integers(1, 50), moves)
def test_any_mixture_of_reads_gives_the_bytes_in_order(
    content: bytes, step: int, moves: list[tuple[str, int]]
) -> None:
    source = ByteSource(ShortReads(content, step))
    at = 0
    for move, size in moves:
        rest = content[at : at + size]
        if move == "peek":
            assert source.peek(size) == rest
        elif move == "at_end":
            assert source.at_end() == (at == len(content))
        elif move == "read":
            piece = source.read(size)
            assert rest.startswith(piece)
            at += len(piece)
        elif move == "skip" and len(rest) == size:
            source.skip(size, "t")
            at += size
        elif len(rest) < size:
            with pytest.raises(Truncated) as caught:
                source.take(size, "more than there is")
            assert caught.value.offset == at
            return
        else:
            assert move in ("take", "chunks", "skip")
            got = source.take(size, "t") if move == "take" else b"".join(source.chunks(size, "t"))
            assert got == rest
            at += size
        assert source.position == at
    assert drain(source) == content[at:]


def test_running_dry_inside_chunks_says_where() -> None:
    source = ByteSource(io.BytesIO(b"x" * 10))
    source.take(3, "the head")
    with pytest.raises(Truncated) as caught:
        list(source.chunks(BLOCK, "the body"))
    assert (caught.value.structure, caught.value.offset) == ("the body", 10)
