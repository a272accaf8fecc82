from collections.abc import Sequence

import pytest

from denizen.index.package_search import FoundPackage, matching


def found(
    name: str, summary: str = "", *, section: str = "utils", dependents: int = 0, holds: bool = False
) -> FoundPackage:
    return FoundPackage(name.encode(), b"1", "stable", section.encode(), dependents, summary.encode(), holds)


PACKAGES = (
    found("zip", "Archiver for .zip files"),
    found("zipcmp", "compare contents of zip archives"),
    found("libzip4", "library for reading zip archives", section="libs", dependents=400),
    found("unzip", "De-archiver for .zip files", dependents=90),
    found("gzip", "GNU compression utilities", dependents=3),
    found("python3-zipp", "pathlib-compatible Zipfile object wrapper", section="python", dependents=50),
    found("mercurial", "easy-to-use distributed version control"),
)


def names(words: Sequence[bytes], rows: Sequence[FoundPackage] = PACKAGES) -> list[str]:
    return [one.name.decode() for one in matching(rows, words)]


def test_the_package_of_the_name_comes_first_and_parts_come_last() -> None:
    assert names([b"zip"]) == ["zip", "zipcmp", "unzip", "gzip", "libzip4", "python3-zipp"]


def test_all_words_must_be_there_in_name_or_synopsis() -> None:
    assert names([b"zip", b"archives"]) == ["zipcmp", "libzip4"]
    assert names([b"ZIP", b"Archiver"]) == ["zip", "unzip"]
    assert names([b"zip", b"nonsense"]) == []


def test_words_of_a_name_with_a_hyphen_are_that_name() -> None:
    rows = [
        found("image-view", "x"),
        found("viewer", "image view"),
        found("image-view-data", section="utils"),
    ]
    assert names([b"image", b"view"], rows)[0] == "image-view"


def test_a_package_that_has_the_command_is_found_though_no_word_says_so() -> None:
    rows = [*PACKAGES, found("mercurial-tools", "hg things", holds=True)]
    assert names([b"hg"], rows) == ["mercurial-tools"]


@pytest.mark.parametrize("suffix", ["-doc", "-dev", "-data", "-common"])
def test_a_part_comes_after_the_whole(suffix: str) -> None:
    rows = [found("gimp-x" + suffix, "image editor", dependents=99), found("another", "image editor")]
    assert names([b"image", b"editor"], rows)[0] == "another"
