import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.bundle_image import (
    BLOCK,
    ENTRY,
    HEADER,
    BadImage,
    EntryKind,
    ImageEntry,
    decode,
    encode,
    encode_over,
)
from denizen.formats.squashfs_writer import StoredFile, StoredPiece

_PARTS = st.sampled_from([b"lib", b"bin", b"x", b"libc.so.6", b"a b"])
_NAMES = st.lists(_PARTS, min_size=1, max_size=4).map(b"/".join)
_FILES = st.dictionaries(_NAMES, st.binary(max_size=200), max_size=8)


def expanded(frame: bytes, size: int) -> bytes:
    content = zlib.decompress(frame)
    assert len(content) == size
    return content


def entries_of(files: dict[bytes, bytes]) -> list[ImageEntry]:
    """Return files, without those that another one lies below."""
    kept = [name for name in files if not any(other.startswith(name + b"/") for other in files)]
    return [ImageEntry(name, EntryKind.PROGRAM, files[name]) for name in kept]


@given(_FILES)
def test_an_image_has_the_entries_it_was_made_of_and_their_directories_first(
    files: dict[bytes, bytes],
) -> None:
    entries = entries_of(files)
    found = decode(encode(entries, zlib.compress), expanded)
    assert [one for one in found if one.kind is EntryKind.PROGRAM] == entries
    seen = {b""}
    for one in found:
        assert one.name.rpartition(b"/")[0] in seen
        seen.add(one.name)


def test_an_empty_directory_is_kept_and_counted_once() -> None:
    entries = [ImageEntry(b"a/empty", EntryKind.DIRECTORY), ImageEntry(b"a/b", EntryKind.FILE, b"x")]
    found = decode(encode(entries, zlib.compress), expanded)
    assert [(one.name, one.kind.name) for one in found] == [
        (b"a", "DIRECTORY"),
        (b"a/empty", "DIRECTORY"),
        (b"a/b", "FILE"),
    ]


def test_the_same_entries_give_the_same_bytes() -> None:
    entries = [ImageEntry(b"a/b", EntryKind.FILE, b"x"), ImageEntry(b"c", EntryKind.LINK, b"a/b")]
    assert encode(entries, zlib.compress) == encode(list(entries), zlib.compress)


@pytest.mark.parametrize("name", [b"../x", b"/x", b"a//b", b"a/./b", b"", b"a\0b"])
def test_a_name_that_leaves_the_directory_is_refused(name: bytes) -> None:
    with pytest.raises(BadImage):
        encode([ImageEntry(name, EntryKind.FILE)], zlib.compress)


def test_two_entries_of_one_name_are_refused() -> None:
    for other in (b"a", b"a/b"):
        with pytest.raises(BadImage):
            encode([ImageEntry(b"a", EntryKind.FILE), ImageEntry(other, EntryKind.FILE)], zlib.compress)


def test_a_name_that_leaves_the_directory_is_refused_in_an_image_too() -> None:
    image = encode([ImageEntry(b"abcd", EntryKind.FILE, b"x")], zlib.compress)
    with pytest.raises(BadImage):
        decode(image.replace(b"abcd\0", b"../d\0"), expanded)


def test_what_does_not_get_smaller_is_stored_as_it_is() -> None:
    entries = [ImageEntry(b"a", EntryKind.FILE, b"x")]

    def refuse(frame: bytes, size: int) -> bytes:
        raise AssertionError((frame, size))

    assert decode(encode(entries, lambda content: content * 2), refuse) == entries


def test_files_are_found_in_the_image_of_another_format() -> None:
    """The first file goes on in a second block, the second lies in a part of a block, the third is empty."""
    entries = [
        ImageEntry(b"d/long", EntryKind.FILE, b"longer"),
        ImageEntry(b"d/part", EntryKind.PROGRAM, b"par"),
        ImageEntry(b"empty", EntryKind.FILE),
        ImageEntry(b"link", EntryKind.LINK, b"d/long"),
    ]
    blocks = [StoredPiece(2, 4, 4), StoredPiece(6, 2, 2), StoredPiece(8, 5, 5)]
    stored = {
        b"d/long": StoredFile((blocks[0], blocks[1]), 0, 6),
        b"d/part": StoredFile((blocks[2],), 1, 3),
        b"empty": StoredFile((), 0, 0),
    }
    index = encode_over(entries, stored, 512)
    assert len(index) % 512 == 0
    assert index.endswith(bytes(64))
    found = decode(index + b"..longerxparx", expanded)
    assert found == sorted([ImageEntry(b"d", EntryKind.DIRECTORY), *entries], key=found.index)
    assert len(found) == 5


def test_a_run_that_goes_beyond_the_last_block_is_refused() -> None:
    entries = [ImageEntry(b"a", EntryKind.FILE, b"abcd")]
    index = encode_over(entries, {b"a": StoredFile((StoredPiece(0, 4, 4),), 0, 4)}, 8)
    at = index.index(ENTRY.pack(1, 1, 0, 1, 0, 4))
    longer = index[:at] + ENTRY.pack(1, 1, 0, 1, 0, 5) + index[at + ENTRY.size :]
    with pytest.raises(BadImage):
        decode(longer + b"abcd", expanded)


def test_a_block_says_that_addresses_were_put_into_it() -> None:
    code = b"\xe8\x01\x00\x00\x00" * 100
    image = encode([ImageEntry(b"a", EntryKind.PROGRAM, code)], zlib.compress, x86=True)
    (found,) = decode(image, expanded)
    assert found.content == code
    at, size, whole, method = BLOCK.unpack_from(image, HEADER.size)
    assert (whole, method) == (500, 0x101)
    assert zlib.decompress(image[at : at + size]) != code


@pytest.mark.parametrize("method", [3, 0x103, 0x200, 0x401, 0])
def test_a_block_of_an_unknown_kind_is_refused(method: int) -> None:
    """And a stored one of another size than its content's."""
    image = bytearray(encode([ImageEntry(b"a", EntryKind.FILE, b"a" * 500)], zlib.compress))
    row = BLOCK.unpack_from(image, HEADER.size)
    BLOCK.pack_into(image, HEADER.size, *row[:3], method)
    with pytest.raises(BadImage):
        decode(image, expanded)
