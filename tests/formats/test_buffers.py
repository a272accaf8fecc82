"""Archives and compressed streams are the same wherever an edge of a buffer falls in them."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats import compression, contents, iso9660, stream, tar
from denizen.formats.compression import expanded
from denizen.formats.deb import Deb
from denizen.formats.file_tree import File
from denizen.formats.inflate import CHUNK, decompressed
from denizen.formats.stream import BLOCK
from tests.formats.test_compression import COMPRESS
from tests.support import debs
from tests.support.debs import Item
from tests.support.generated_trees import ShortReads
from tests.support.iso_images import built_image

EDGES = [-513, -512, -511, -60, -1, 0, 1, 59, 60, 61, 511, 512, 513]


def files_of(package: bytes) -> dict[bytes, bytes]:
    return {
        entry.path: b"".join(map(bytes, entry.content))
        for entry in Deb(io.BytesIO(package)).entries()
        if isinstance(entry, File)
    }


@given(
    name=st.sampled_from(list(COMPRESS)),
    content=st.binary(max_size=600),
    block=st.integers(1, 80),
    size=st.integers(1, 80),
    times=st.integers(1, 3),
)
def test_a_compressed_stream_is_whole_for_any_block_and_any_read(
    name: str, content: bytes, block: int, size: int, times: int
) -> None:
    packed = COMPRESS[name](content) * times
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "BLOCK", block)
        reader = expanded(io.BytesIO(packed), name)
        assert b"".join(iter(lambda: reader.read(size), b"")) == content * times


@given(sizes=st.lists(st.integers(0, 1200), max_size=4), block=st.integers(1, 700), step=st.integers(1, 700))
def test_a_package_is_whole_for_any_block(sizes: list[int], block: int, step: int) -> None:
    wanted = {f"usr/{number}".encode(): bytes([number]) * size for number, size in enumerate(sizes)}
    package = debs.deb([Item("./" + path.decode(), content=content) for path, content in wanted.items()])
    with pytest.MonkeyPatch.context() as patch:
        for module in (stream, compression):
            patch.setattr(module, "BLOCK", block)
        patch.setattr(tar, "_SMALL", block)
        found = {
            entry.path: b"".join(map(bytes, entry.content))
            for entry in Deb(ShortReads(package, step)).entries()
            if isinstance(entry, File)
        }
    assert found == wanted


@pytest.mark.parametrize("kind", ["", ".gz"])
@pytest.mark.parametrize("edge", [BLOCK, 2 * BLOCK])
def test_a_file_about_as_long_as_a_block_is_unpacked_whole(kind: str, edge: int) -> None:
    for more in EDGES:
        content = os.urandom(edge + more)
        package = debs.deb([Item("./a", content=content), Item("./b", content=b"x")], compression=kind)
        assert files_of(package) == {b"a": content, b"b": b"x"}


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_index_about_as_long_as_a_chunk_is_read_whole(suffix: str, more: int) -> None:
    content = os.urandom(CHUNK + more)
    packed = COMPRESS[suffix.removeprefix(".")](content)
    pieces = [packed[:CHUNK], packed[CHUNK:]]
    assert b"".join(decompressed(pieces, suffix, len(content))) == content


@pytest.mark.parametrize("limit", [contents.MAX_PREAMBLE, contents.MAX_LINE])
@pytest.mark.parametrize("more", [-2, -1, 0, 1, 2])
def test_lines_across_the_end_of_what_is_searched_for_prose_are_kept(limit: int, more: int) -> None:
    line = b"usr/lib/liba.so.1 libs/a\n"
    text = line * (limit // len(line) + 2)
    cut = limit + more
    assert b"".join(contents.whole_lines([text[:cut], text[cut:]])) == text


@pytest.mark.parametrize("more", [-1, 0])
def test_an_extension_as_long_as_one_may_be_names_a_member(more: int) -> None:
    name = "./" + "a" * 200
    archive = debs.tar([Item(name, content=b"x", pax={"comment": "c" * (tar.MAX_EXTENSION - 600 + more)})], 2)
    (member,) = tar.members(stream.ByteSource(io.BytesIO(archive)))
    assert member.name == name.encode()


@given(piece=st.integers(1, 5000))
def test_a_file_of_an_image_is_whole_for_any_piece(piece: int) -> None:
    whole = _files_of_image()
    assert whole[b"AppRun"] == b"text\n" * 300
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iso9660, "_PIECE", piece)
        assert _files_of_image() == whole


def _files_of_image() -> dict[bytes, bytes]:
    return {one.name: b"".join(map(bytes, one.content)) for one in iso9660.members(built_image())}
