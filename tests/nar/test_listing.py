import io

import pytest
from hypothesis import given

from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.stream import BLOCK
from denizen.nar import listing
from denizen.nar.reader import BadNar
from tests.support.generated_trees import file, nar, settled, trees


@given(trees)
def test_offsets_lead_to_the_contents(tree: list[Entry]) -> None:
    content = nar(*tree)
    listed = list(listing.entries(io.BytesIO(content)))
    assert [one.entry.path for one in listed] == [entry.path for entry in tree]
    for one, entry in zip(listed, settled(tree), strict=True):
        if isinstance(entry, File):
            assert (content[one.offset : one.offset + entry.size],) == entry.content


def test_offsets_are_right_for_long_files_too() -> None:
    long = b"L" * (BLOCK + 1)
    content = nar(Directory(b""), file(b"a", long), file(b"b", b"short"))
    offsets = [one.offset for one in listing.entries(io.BytesIO(content))]
    assert offsets == [0, content.index(b"L"), content.index(b"short")]


def test_the_document_has_the_fields_of_a_cache_listing() -> None:
    content = nar(
        Directory(b""), Directory(b"bin"), file(b"bin/x", b"abc", executable=True), Symlink(b"\xff", b"bin/x")
    )
    assert listing.document(io.BytesIO(content)) == {
        "version": 1,
        "root": {
            "type": "directory",
            "entries": {
                "bin": {
                    "type": "directory",
                    "entries": {
                        "x": {
                            "type": "regular",
                            "size": 3,
                            "executable": True,
                            "narOffset": content.index(b"abc"),
                        }
                    },
                },
                "\\xff": {"type": "symlink", "target": "bin/x"},
            },
        },
    }


def test_the_listing_of_an_archive_with_a_tail_is_refused() -> None:
    with pytest.raises(BadNar):
        listing.document(io.BytesIO(nar(file(b"")) + b"x"))
