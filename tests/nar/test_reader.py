import io
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.errors import BadInput
from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.stream import BLOCK, ByteSource, Readable
from denizen.nar import codec
from denizen.nar.reader import BadNar, NarRule, read, read_from
from tests.support.generated_trees import ShortReads, file, nar, settled, trees


def string(*words: bytes) -> bytes:
    return b"".join(codec.string(word) for word in words)


def archive(*words: bytes) -> bytes:
    """An archive written token by token, so that it can be wrong."""
    return string(b"nix-archive-1", *words)


def entry(name: bytes, *node: bytes) -> tuple[bytes, ...]:
    return (b"entry", b"(", b"name", name, b"node", b"(", b"type", *node, b")", b")")


def directory(*entries: tuple[bytes, ...]) -> bytes:
    return archive(b"(", b"type", b"directory", *[word for e in entries for word in e], b")")


EMPTY_FILE = (b"regular", b"contents", b"")

TREE: list[Entry] = [
    Directory(b""),
    file(b"a", b"1234567"),
    Directory(b"b"),
    Directory(b"b/c"),
    Symlink(b"b/c/d", b"../../a"),
    file(b"b/x", b"\0" * 33, executable=True),
    file(b"\xff\xfe", b"not UTF-8"),
]


def rule_broken_by(content: bytes) -> NarRule:
    with pytest.raises(BadNar) as caught:
        list(read(io.BytesIO(content)))
    return caught.value.rule


@given(trees, st.integers(1, 300))
def test_what_was_written_is_read_back_whatever_the_pieces(tree: list[Entry], step: int) -> None:
    assert settled(read(ShortReads(nar(*tree), step))) == tree


def test_every_piece_size_gives_the_same_entries() -> None:
    content = nar(*TREE)
    for step in range(1, len(content) + 1):
        assert settled(read(ShortReads(content, step))) == TREE


def test_a_stream_cut_at_any_byte_is_truncated_and_never_anything_else() -> None:
    content = nar(*TREE)
    for size in range(len(content)):
        with pytest.raises(Truncated):
            settled(read(io.BytesIO(content[:size])))


def test_a_long_file_cut_at_its_edges_is_truncated() -> None:
    content = nar(file(b"", bytes(BLOCK + 3)))
    start = content.index(codec.CONTENTS) + len(codec.CONTENTS) + 8
    for size in (start, start + 1, start + BLOCK, start + BLOCK + 2, start + BLOCK + 3, start + BLOCK + 5):
        with pytest.raises(Truncated):
            settled(read(io.BytesIO(content[:size])))


@pytest.mark.parametrize("consumed", [0, 1, 2])
def test_what_a_consumer_leaves_of_a_long_file_is_passed_over(consumed: int) -> None:
    content = nar(Directory(b""), file(b"a", bytes(3 * BLOCK + 5)), file(b"b", b"after"))
    seen = []
    for found in read(io.BytesIO(content)):
        if isinstance(found, File) and found.path == b"a":
            pieces = iter(found.content)
            for _ in range(consumed):
                next(pieces)
        else:
            seen.append(found)
    assert settled(seen) == [Directory(b""), file(b"b", b"after")]


def test_a_file_of_gigabytes_takes_no_more_memory_than_a_small_one() -> None:
    size = 200 * 1024 * 1024
    head = archive(b"(", b"type", b"regular", b"contents") + struct.pack("<Q", size)

    class Endless:
        left = size

        def __init__(self) -> None:
            self.head = io.BytesIO(head)
            self.tail = io.BytesIO(string(b")"))

        def read(self, limit: int, /) -> bytes:
            if piece := self.head.read(limit):
                return piece
            if self.left:
                limit = min(limit, self.left)
                self.left -= limit
                return bytes(limit)
            return self.tail.read(limit)

    tracemalloc.start()
    try:
        (top,) = (e for e in read(Endless()) if isinstance(e, File) and sum(map(len, e.content)) == size)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert top.size == size
    assert peak < 8 * BLOCK


def test_an_archive_inside_a_longer_stream_leaves_what_follows() -> None:
    source = ByteSource(io.BytesIO(nar(*TREE) + b"next"))
    assert settled(read_from(source)) == TREE
    assert source.take(4, "what follows") == b"next"


def test_bytes_after_the_end_are_refused() -> None:
    assert rule_broken_by(nar(*TREE) + b"\0") is NarRule.TRAILING


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"../x", b"a\0b", b"\0", b"n" * 256])
def test_a_name_that_could_leave_its_directory_is_refused(name: bytes) -> None:
    assert rule_broken_by(directory(entry(name, *EMPTY_FILE))) is NarRule.NAME


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"b", b"a"), (b"a", b"b", b"a"), (b"\xff", b"\x01")])
def test_names_twice_or_out_of_order_are_refused(names: tuple[bytes, ...]) -> None:
    assert rule_broken_by(directory(*(entry(name, *EMPTY_FILE) for name in names))) is NarRule.ORDER


def test_a_rewritten_stream_may_have_names_in_any_order_but_none_twice() -> None:
    names = (b"b", b"a", b"c")
    content = directory(*(entry(name, *EMPTY_FILE) for name in names))
    assert [one.path for one in settled(read(io.BytesIO(content), ordered=False))] == [b"", *names]
    link = entry(b"x", b"symlink", b"target", b"/etc")
    through = directory(link, entry(b"a", *EMPTY_FILE), entry(b"x", b"directory", *entry(b"y", *EMPTY_FILE)))
    with pytest.raises(BadNar) as caught:
        settled(read(io.BytesIO(through), ordered=False))
    assert caught.value.rule is NarRule.ORDER


def test_a_link_and_then_a_file_through_it_cannot_be_said() -> None:
    link = entry(b"x", b"symlink", b"target", b"/etc")
    assert rule_broken_by(directory(link, entry(b"x/passwd", *EMPTY_FILE))) is NarRule.NAME
    inside = (b"directory", *entry(b"passwd", *EMPTY_FILE))
    assert rule_broken_by(directory(link, entry(b"x", *inside))) is NarRule.ORDER


def test_ten_thousand_directories_inside_one_another_are_refused_without_recursion() -> None:
    depth = 10_000
    opening = string(b"entry", b"(", b"name", b"d", b"node", b"(", b"type", b"directory")
    assert rule_broken_by(archive(b"(", b"type", b"directory") + opening * depth) is NarRule.DEPTH


def test_the_deepest_tree_allowed_is_read() -> None:
    tree: list[Entry] = [Directory(b"/".join([b"d"] * depth)) for depth in range(codec.MAX_DEPTH)]
    assert settled(read(io.BytesIO(nar(*tree)))) == tree


def test_a_path_longer_than_the_kernel_takes_is_refused() -> None:
    opening = string(b"entry", b"(", b"name", b"n" * 255, b"node", b"(", b"type", b"directory")
    assert rule_broken_by(archive(b"(", b"type", b"directory") + opening * 17) is NarRule.PATH


@pytest.mark.parametrize("target", [b"", b"a\0b", b"t" * 4096])
def test_a_link_target_the_kernel_would_not_take_is_refused(target: bytes) -> None:
    assert rule_broken_by(archive(b"(", b"type", b"symlink", b"target", target, b")")) is NarRule.TARGET


@pytest.mark.parametrize("size", [2**63, 2**64 - 1])
def test_a_length_beyond_any_file_is_refused(size: int) -> None:
    head = archive(b"(", b"type", b"regular", b"contents")
    assert rule_broken_by(head + struct.pack("<Q", size)) is NarRule.SIZE


def test_a_size_that_promises_more_than_there_is_ends_in_truncation() -> None:
    head = archive(b"(", b"type", b"regular", b"contents")
    with pytest.raises(Truncated):
        settled(read(io.BytesIO(head + struct.pack("<Q", 2**62) + bytes(1000))))


def test_a_size_that_says_less_than_there_is_breaks_the_grammar() -> None:
    lied = archive(b"(", b"type", b"regular", b"contents") + struct.pack("<Q", 8) + b"x" * 24 + string(b")")
    assert rule_broken_by(lied) is NarRule.TOKEN


@pytest.mark.parametrize("position", [0, 1, 2])
def test_padding_that_is_not_zero_is_refused(position: int) -> None:
    content = bytearray(nar(Directory(b""), file(b"abcde", b"fghij")))
    where = content.index((b"abcde", b"fghij", b"fghij")[position]) + 5 + position % 2
    content[where] = 1
    assert rule_broken_by(bytes(content)) is NarRule.PADDING


def test_padding_of_a_long_file_is_checked_too() -> None:
    content = bytearray(nar(file(b"", bytes(BLOCK + 3))))
    content[-len(codec.CLOSE) - 1] = 1
    assert rule_broken_by(bytes(content)) is NarRule.PADDING


@pytest.mark.parametrize(
    "words",
    [
        (b"[", b"type", b"directory", b")"),
        (b"(", b"kind", b"directory", b")"),
        (b"(", b"type", b"socket\0\0", b")"),
        (b"(", b"type", b"directorz", b")"),
        (b"(", b"type", b"directory", b"("),
        (b"(", b"type", b"directory", b"entrx", b"("),
        (b"(", b"type", b"regular", b"executable", b"x", b"contents", b"", b")"),
        (b"(", b"type", b"regular", b"content2", b"", b")"),
        (b"(", b"type", b"symlink", b"aimage", b"x", b")"),
    ],
)
def test_any_other_token_breaks_the_grammar(words: tuple[bytes, ...]) -> None:
    assert rule_broken_by(archive(*words) + bytes(64)) is NarRule.TOKEN


def test_another_magic_is_not_an_archive() -> None:
    assert rule_broken_by(string(b"nix-archive-2", b"(")) is NarRule.MAGIC


def test_the_error_says_where_and_shows_names_safely() -> None:
    with pytest.raises(BadNar) as caught:
        list(read(io.BytesIO(directory(entry(b"\x1b[31m", b"regular", b"oops")) + bytes(64))))
    assert caught.value.path == b"\x1b[31m"
    assert "\x1b" not in str(caught.value)
    assert "grammar" in caught.value.why


@given(st.binary(max_size=400))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    with pytest.raises(BadInput):
        settled(read(io.BytesIO(noise)))


@given(trees, st.data())
def test_one_changed_byte_is_an_error_or_another_tree_that_writes_back(
    tree: list[Entry], data: st.DataObject
) -> None:
    content = bytearray(nar(*tree))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = settled(read(io.BytesIO(content)))
    except BadInput:
        return
    assert nar(*other) == content


# Files whose entries are read at once when all of one is held, and enough behind for it to be.
FILES = nar(
    Directory(b""),
    Directory(b"d"),
    *[file(b"d/%d" % n, b"%d" % n * n, executable=n == 2) for n in (1, 2, 8)],
    file(b"long", b"x" * 500),
)


def outcome(stream: Readable) -> tuple[list[Entry], object]:
    """The entries up to an error, and what that was."""
    found: list[Entry] = []
    try:
        for each in read(stream):
            found += settled([each])
    except BadNar as error:
        return found, (error.rule, error.offset, error.path)
    except Truncated:
        return found, Truncated
    return found, None


def test_reading_entries_at_once_differs_in_nothing_from_reading_word_by_word() -> None:
    assert outcome(io.BytesIO(FILES)) == outcome(ShortReads(FILES, 1))
    for position in range(len(FILES) - 560):
        for change in (0x01, 0x80):
            other = bytearray(FILES)
            other[position] ^= change
            assert outcome(io.BytesIO(bytes(other))) == outcome(ShortReads(bytes(other), 64)), position
