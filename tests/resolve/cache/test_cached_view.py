"""A file is read and parsed once, however it is spelled."""

import pytest

from denizen.elf.image import read
from denizen.fileview import MemoryView, ViewLink
from denizen.resolve.cache.cached_view import CachedView, ParsedFile, parser_of
from denizen.value import replace
from tests.support.memory_archive import library

LIBRARY = b"/opt/app/lib/liba.so.1"
SPELLINGS = [
    LIBRARY,
    b"/opt/app/plugins/../lib/liba.so.1",
    b"/opt/app/lib/./liba.so.1",
    b"/opt/app/lib/liba.so",
]


class Counting(MemoryView):
    reads = 0

    def read(self, path: bytes) -> bytes:
        self.reads += 1
        return bytes(super().read(path))


@pytest.fixture
def view() -> Counting:
    return Counting(
        {
            LIBRARY: library(b"liba.so.1"),
            b"/opt/app/lib/liba.so": ViewLink(b"liba.so.1"),
            b"/opt/app/plugins/": b"",
        }
    )


def test_every_spelling_of_a_path_gives_the_same_image(view: Counting) -> None:
    known = CachedView(view)
    assert len({id(known.image(path)) for path in SPELLINGS}) == 1
    assert view.reads == 1


def test_a_file_that_was_parsed_before_is_neither_read_nor_parsed_again(view: Counting) -> None:
    image = read(library(b"liba.so.1"))
    parsed = ParsedFile(view, LIBRARY, view.stat(LIBRARY), image)
    for known in (parsed, CachedView(parsed)):
        assert parser_of(known)(known.read(LIBRARY)) is image
    assert view.reads == 0


def test_another_file_at_the_path_is_read(view: Counting) -> None:
    image = read(library(b"liba.so.1"))
    parsed = ParsedFile(view, LIBRARY, replace(view.stat(LIBRARY), inode=99), image)
    assert parsed.parse(parsed.read(LIBRARY)) is not image
    assert view.reads == 1


def test_a_file_that_is_not_there_is_asked_for_once_and_refused_every_time(view: Counting) -> None:
    known = CachedView(view)
    for _ in range(2):
        with pytest.raises(FileNotFoundError) as refused:
            known.read(b"/opt/app/lib/libb.so")
        assert refused.value.filename == b"/opt/app/lib/libb.so"
    assert view.reads == 0
