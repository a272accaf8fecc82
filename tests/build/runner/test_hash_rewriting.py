import hashlib

from hypothesis import given
from hypothesis import strategies as st

from denizen.build.runner.hash_rewriting import PieceStream, digest_modulo, rewriting
from denizen.store.trees.reference_scanner import HASH_LENGTH

OLD, NEW, OTHER = b"a" * 31 + b"b", b"1" * 32, b"2" * 32
contents = st.lists(st.sampled_from([OLD, NEW, b"x", OLD[:9], OLD[9:], b"\0" * 32]), max_size=8).map(b"".join)


def cut(content: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@given(contents, st.data())
def test_hashes_are_replaced_wherever_pieces_end(content: bytes, data: st.DataObject) -> None:
    assert b"".join(rewriting(cut(content, data), {OLD: OTHER})) == content.replace(OLD, OTHER)


@given(contents, st.data())
def test_mentions_of_itself_count_as_zeros_and_by_their_places(content: bytes, data: st.DataObject) -> None:
    places = [at for at in range(len(content)) if content.startswith(OLD, at)]
    expected = content.replace(OLD, bytes(HASH_LENGTH)) + b"".join(b"|%d" % at for at in places)
    found = digest_modulo(cut(content, data), "sha256", OLD)
    assert found == hashlib.sha256(expected).digest()


def test_zeros_are_no_mention_of_itself() -> None:
    assert digest_modulo([OLD], "sha256", OLD) != digest_modulo([bytes(32)], "sha256", OLD)


@given(contents, st.data(), st.integers(1, 50))
def test_a_stream_of_pieces_gives_all_of_them(content: bytes, data: st.DataObject, size: int) -> None:
    stream = PieceStream(cut(content, data))
    read = bytearray()
    while piece := stream.read(size):
        assert len(piece) <= size
        read += piece
    assert read == content
