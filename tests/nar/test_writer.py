import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.stream import BLOCK
from denizen.nar import writer
from denizen.nar.writer import UnfitEntry
from tests.support.generated_trees import file, nar


def test_the_archive_of_a_small_tree_is_the_published_one() -> None:
    words = (
        b"nix-archive-1", b"(", b"type", b"directory",
        b"entry", b"(", b"name", b"a", b"node",
        b"(", b"type", b"regular", b"executable", b"", b"contents", b"hi", b")", b")",
        b"entry", b"(", b"name", b"d", b"node", b"(", b"type", b"directory",
        b"entry", b"(", b"name", b"l", b"node", b"(", b"type", b"symlink", b"target", b"../a", b")", b")",
        b")", b")",
        b"entry", b"(", b"name", b"z", b"node", b"(", b"type", b"regular", b"contents", b"", b")", b")",
        b")",
    )  # fmt: skip
    expected = b"".join(len(w).to_bytes(8, "little") + w + bytes(-len(w) % 8) for w in words)
    tree: list[Entry] = [
        Directory(b""),
        file(b"a", b"hi", executable=True),
        Directory(b"d"),
        Symlink(b"d/l", b"../a"),
        file(b"z"),
    ]
    assert nar(*tree) == expected


@given(st.lists(st.integers(0, 2 * BLOCK), min_size=1, max_size=4))
def test_how_content_is_cut_into_pieces_does_not_show(cuts: list[int]) -> None:
    content = bytes(sum(cuts))
    pieces = tuple(memoryview(content)[:size] for size in cuts)
    assert nar(File(b"", False, len(content), pieces)) == nar(file(b"", content))


def test_pieces_are_joined_until_they_are_worth_handing_on() -> None:
    tree: list[Entry] = [Directory(b""), *(file(b"%05d" % n, b"x" * 100) for n in range(20_000))]
    sizes = [len(piece) for piece in writer.write(tree)]
    assert min(sizes[:-1]) >= BLOCK
    assert max(sizes) < 2 * BLOCK


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ([], "begins with its top"),
        ([file(b"a")], "begins with its top"),
        ([file(b""), file(b"a")], "not a directory"),
        ([Directory(b""), file(b"b"), file(b"a")], "sorts behind"),
        ([Directory(b""), file(b"a"), file(b"a")], "sorts behind"),
        ([Directory(b""), file(b"d/a")], "before its directory"),
        ([Directory(b""), Directory(b"d"), file(b"e"), file(b"d/a")], "before its directory"),
        ([Directory(b""), file(b"f"), file(b"f/x")], "before its directory"),
        ([Directory(b""), Directory(b"")], "sorts behind"),
    ],
)
def test_entries_out_of_order_are_refused(tree: list[Entry], reason: str) -> None:
    with pytest.raises(UnfitEntry, match=reason):
        nar(*tree)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_file_that_changed_size_while_it_was_read_is_refused(size: int) -> None:
    with pytest.raises(UnfitEntry, match="did it change"):
        nar(File(b"", False, size, (b"ab",)))
