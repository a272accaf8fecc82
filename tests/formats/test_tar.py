import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.errors import BadInput
from denizen.formats import tar
from denizen.formats.stream import BLOCK, ByteSource
from denizen.formats.tar import BadTar, MemberKind, TarMember
from tests.support import debs
from tests.support.debs import Item
from tests.support.generated_trees import ShortReads

LONG = "/".join(["directory"] * 40)
ITEMS = [
    debs.directory("./"),
    Item("./file", content=b"content", mode=0o755),
    Item("./empty"),
    debs.symlink("./link", "file"),
    debs.hard_link("./hard", "./file"),
    Item(f"./{LONG}/name", content=b"x" * 600),
    debs.symlink("./long-link", LONG),
    Item("./caf\N{LATIN SMALL LETTER E WITH ACUTE}", content=b"\0" * 512),
]


def settled(content: bytes, step: int = BLOCK) -> list[TarMember]:
    return [
        TarMember(m.name, m.kind, m.mode, m.size, m.target, (b"".join(m.content),))
        for m in tar.members(ByteSource(ShortReads(content, step)))
    ]


def header(content: bytes, **changes: bytes) -> bytes:
    """The archive with fields of its first header changed and the checksum put right."""
    offsets = {"name": 0, "mode": 100, "size": 124, "type": 156, "target": 157, "magic": 257, "prefix": 345}
    block = bytearray(content[:512])
    for key, text in changes.items():
        block[offsets[key] : offsets[key] + len(text)] = text
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + content[512:]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_that_were_written(form: int) -> None:
    items = [item for item in ITEMS if form != tarfile.USTAR_FORMAT or len(item.target) <= 100]
    items = [item for item in items if form != tarfile.USTAR_FORMAT or len(item.name) <= 255]
    found = settled(debs.tar(items, form))
    assert [(m.name.rstrip(b"/").decode(), m.target.decode()) for m in found] == [
        (item.name.rstrip("/"), item.target) for item in items
    ]
    assert [m.content for m in found] == [(item.content,) for item in items]
    assert [m.mode for m in found] == [item.mode for item in items]


def test_the_posix_prefix_is_put_before_the_name() -> None:
    path = "p" * 100 + "/" + "n" * 90
    (found,) = settled(debs.tar([Item(path)], tarfile.USTAR_FORMAT))
    assert found.name == path.encode()


def test_kinds_are_told_apart() -> None:
    kinds = {
        tarfile.REGTYPE: MemberKind.FILE,
        tarfile.AREGTYPE: MemberKind.FILE,
        tarfile.CONTTYPE: MemberKind.FILE,
        tarfile.DIRTYPE: MemberKind.DIRECTORY,
        tarfile.SYMTYPE: MemberKind.SYMLINK,
        tarfile.LNKTYPE: MemberKind.HARD_LINK,
        tarfile.CHRTYPE: MemberKind.CHARACTER_DEVICE,
        tarfile.BLKTYPE: MemberKind.BLOCK_DEVICE,
        tarfile.FIFOTYPE: MemberKind.FIFO,
    }
    found = settled(debs.tar([Item("x", kind) for kind in kinds]))
    assert [m.kind for m in found] == list(kinds.values())


def test_a_directory_of_the_oldest_format_is_known_by_its_slash() -> None:
    (found,) = settled(header(debs.tar([Item("d/")]), type=b"\0", magic=bytes(8), name=b"d/\0"))
    assert found.kind is MemberKind.DIRECTORY


def test_every_piece_size_gives_the_same_members() -> None:
    content = debs.tar(ITEMS[:4])
    expected = settled(content)
    for step in [*range(1, 70), 511, 512, 513, 1023, 1024, 1025]:
        assert settled(content, step) == expected


def test_an_archive_cut_anywhere_before_its_end_block_is_truncated() -> None:
    content = debs.tar(ITEMS[:4])
    end = content.rstrip(b"\0")
    last = -(-len(end) // 512) * 512
    for size in range(last + 512):
        with pytest.raises(Truncated):
            settled(content[:size])
    assert settled(content[: last + 512]) == settled(content)


def test_numbers_in_base_256_are_read() -> None:
    size = (b"\x80" + (7).to_bytes(11, "big"), b"00000000007\0")
    archives = [header(debs.tar([Item("x", content=b"1234567")]), size=text) for text in size]
    assert settled(archives[0]) == settled(archives[1])


def test_a_long_file_is_streamed_and_what_is_left_of_it_passed_over() -> None:
    content = debs.tar([Item("long", content=bytes(3 * BLOCK + 1)), Item("after", content=b"x")])
    names = []
    for member in tar.members(ByteSource(io.BytesIO(content))):
        names.append(member.name)
        next(iter(member.content))
    assert names == [b"long", b"after"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": b"S"}, "not supported"),
        ({"type": b"V"}, "not supported"),
        ({"type": b"\xff"}, "not supported"),
        ({"type": b"5"}, "cannot have content"),
        ({"type": b"2"}, "cannot have content"),
        ({"size": b"0000000000x\0"}, "not a number"),
        ({"size": b"-0000000001\0"}, "not a number"),
        ({"size": b"0o0000000001"}, "not a number"),
        ({"size": b"99999999999\0"}, "not a number"),
        ({"size": b"\xff" * 12}, "not a number"),
        ({"size": b"\x80" + b"\xff" * 11}, "not a number"),
        # A negative number in base 256, whose low bytes alone would be one.
        ({"size": b"\xff" + (7).to_bytes(11, "big")}, "not a number"),
        ({"type": b"L", "size": b"77777777777\0"}, "extension of more"),
    ],
)
def test_headers_that_make_no_sense_are_refused(changes: dict[str, bytes], reason: str) -> None:
    content = debs.tar([Item("x", content=b"content")])
    with pytest.raises(BadTar, match=reason):
        settled(header(content, **changes))


def test_a_size_that_promises_more_than_there_is_is_truncated() -> None:
    with pytest.raises(Truncated):
        settled(header(debs.tar([Item("x", content=b"content")]), size=b"77777777777\0"))


def test_a_header_whose_checksum_is_wrong_is_refused() -> None:
    content = bytearray(debs.tar([Item("x")]))
    content[0] ^= 1
    with pytest.raises(BadTar, match="checksum"):
        settled(bytes(content))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(BadTar, match="follow"):
        settled(debs.tar([]) + b"x")


@pytest.mark.parametrize(
    "records",
    [b"x", b"5 a\n", b"9 path=x\n9", b"99 path=x\n", b"0 path=x\n", b"9 path=xy", b"-9 path=x\n",
     b"11 size=-1\n", b"28 size=9999999999999999999\n", b"22 GNU.sparse.major=1\n"],
)  # fmt: skip
def test_malformed_pax_records_are_refused(records: bytes) -> None:
    content = header(debs.tar([Item("x", content=records)]), type=b"x")
    with pytest.raises(BadTar):
        settled(content)


def test_pax_records_override_and_others_are_passed_over() -> None:
    items = [Item("x", content=b"abc", pax={"path": "p" * 300, "mtime": "1.5", "SCHILY.xattr.a": "b"})]
    (found,) = settled(debs.tar(items, tarfile.PAX_FORMAT))
    assert (found.name, found.content) == (b"p" * 300, (b"abc",))


@given(st.integers(0, 1535), st.integers(1, 255))
def test_one_changed_byte_is_an_error_or_still_members(where: int, change: int) -> None:
    content = bytearray(debs.tar([Item("x", content=b"content")]))
    content[where] ^= change
    try:
        found = settled(bytes(content))
    except BadInput:
        return
    assert len(found) == 1
