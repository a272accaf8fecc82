import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.contents import groups
from denizen.index.index_file import DamagedIndex, Writer
from denizen.index.path_index import PathIndex, write_paths
from denizen.sources.base import Snapshot

SNAPSHOT = Snapshot("debian", "stable", "trixie", "0" * 32, 1)
CONTENTS = b"""\
etc/hosts                        admin/netbase
rootfile                         admin/base-files
usr/bin/convert                  graphics/imagemagick,graphics/gm
usr/bin/convert2                 graphics/other
usr/include/png.h                libdevel/libpng-dev
usr/include/libpng16/png.h       libdevel/libpng-dev
usr/include/libpng16/pngconf.h   libdevel/libpng-dev
usr/share/doc/[x]/a b            doc/odd
usr/share/fonts/truetype/d.ttf   fonts/dejavu
usr/share/fonts/d.ttf            fonts/dejavu
"""


def build(path: Path, text: bytes) -> PathIndex:
    with open(path, "wb") as stream:
        writer = Writer(stream)
        write_paths(writer, SNAPSHOT, groups([text]))
        writer.finish()
    return PathIndex(bytes(path))


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[PathIndex]:
    opened = build(tmp_path / "x", CONTENTS)
    yield opened
    opened.close()


def test_every_path_is_counted(paths: PathIndex) -> None:
    assert paths.count() == 10


def test_a_path_is_found_with_each_of_its_owners(paths: PathIndex) -> None:
    assert paths.exact(b"/usr/bin/convert") == [
        (b"/usr/bin/convert", b"imagemagick"),
        (b"/usr/bin/convert", b"gm"),
    ]
    assert paths.exact(b"/rootfile") == [(b"/rootfile", b"base-files")]
    for absent in (b"/usr/bin/conver", b"/bin/convert", b"/usr/bin", b"/"):
        assert paths.exact(absent) == []


def test_names_are_found_by_an_expression_with_each_owner(paths: PathIndex) -> None:
    assert list(paths.like(re.compile(rb"convert.?\Z"), [b"usr/bin", b"usr/games"])) == [
        (b"/usr/bin/convert", b"imagemagick"),
        (b"/usr/bin/convert", b"gm"),
        (b"/usr/bin/convert2", b"other"),
    ]


def test_a_name_is_found_in_the_directories_asked_for(paths: PathIndex) -> None:
    assert paths.named(b"png.h", [b"usr/include", b"usr/bin"]) == [(b"/usr/include/png.h", b"libpng-dev")]


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        (b"png*.h", ["/usr/include/libpng16/png.h", "/usr/include/libpng16/pngconf.h", "/usr/include/png.h"]),
        (b"/usr/include/*.h", ["/usr/include/png.h"]),
        (b"/usr/include/*/png.h", ["/usr/include/libpng16/png.h"]),
        (b"/usr/include/**/png.h", ["/usr/include/libpng16/png.h", "/usr/include/png.h"]),
        (b"/usr/**/*.ttf", ["/usr/share/fonts/d.ttf", "/usr/share/fonts/truetype/d.ttf"]),
        (b"/**/d.ttf", ["/usr/share/fonts/d.ttf", "/usr/share/fonts/truetype/d.ttf"]),
        (b"**/d.ttf", ["/usr/share/fonts/d.ttf", "/usr/share/fonts/truetype/d.ttf"]),
        (b"/usr/share/fonts/*", ["/usr/share/fonts/d.ttf"]),
        (b"/usr/share/fonts/**/*", ["/usr/share/fonts/d.ttf", "/usr/share/fonts/truetype/d.ttf"]),
        (b"/*", ["/rootfile"]),
        (b"/etc/host?", ["/etc/hosts"]),
        (b"/etc/[gh]osts", ["/etc/hosts"]),
        (b"/etc/[!h]osts", []),
        (b"/usr/share/doc/[[]x]/*", ["/usr/share/doc/[x]/a b"]),
        (b"convert?", ["/usr/bin/convert2"]),
        (b"nothing*", []),
        (b"/nowhere/*", []),
    ],
)
def test_a_glob_finds_what_matches_and_nothing_else(paths: PathIndex, glob: bytes, found: list[str]) -> None:
    assert sorted({path.decode() for path, _ in paths.matching(glob)}) == found


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name.strip(".") != "")
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=30, unique=True)


@given(PATHS)
def test_every_path_is_found_again(tmp_path_factory: pytest.TempPathFactory, listed: list[str]) -> None:
    text = "".join(f"{path}  s/p{number}\n" for number, path in enumerate(listed)).encode()
    opened = build(tmp_path_factory.mktemp("paths") / "x", text)
    for number, path in enumerate(listed):
        assert opened.exact(b"/" + path.encode()) == [(b"/" + path.encode(), b"p%d" % number)]
    everything = {path.decode() for path, _ in opened.matching(b"/**/*")}
    assert everything == {"/" + path for path in listed}
    opened.close()


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ({"runs": [], "stretches": [0, 1], "stretches.at": [0, 1]}, "there is no run 1"),
        ({"runs": [1, 0, 0], "stretches": [0, 2], "stretches.at": [0, 1]}, "there is no run 2"),
        ({"runs": [1, 0, 0], "stretches": [], "stretches.at": [0, 1]}, "there is no number 0"),
        ({"runs": [1, 0, 0], "stretches": [0, 1], "stretches.at": []}, "there is no number 0"),
        ({"runs": [1, 0, 7], "stretches": [0, 1], "stretches.at": [0, 1]}, "there is no line 7"),
    ],
)
def test_numbers_that_lead_nowhere_are_damage(
    tmp_path: Path, numbers: Mapping[str, Sequence[int]], problem: str
) -> None:
    damaged = written(tmp_path / "x", numbers)
    with pytest.raises(DamagedIndex, match=problem):
        damaged.exact(b"/d/a")
    damaged.close()


def test_a_name_that_is_in_no_run_is_damage(tmp_path: Path) -> None:
    damaged = written(tmp_path / "x", {"runs": [], "stretches": [], "stretches.at": [0, 0]})
    with pytest.raises(DamagedIndex, match="in no run"):
        list(damaged.matching(b"a"))
    damaged.close()


def written(path: Path, numbers: Mapping[str, Sequence[int]]) -> PathIndex:
    """An index of /d/a with these numbers."""
    with open(path, "wb") as stream:
        writer = Writer(stream)
        writer.section("names", [b"\na\n"])
        for name, some in numbers.items():
            writer.numbers(name, array("I", some))
        writer.section("count", [bytes(8)])
        writer.lines("dirs", [b"d"])
        writer.lines("owners", [b"p"])
        writer.finish()
    return PathIndex(bytes(path))
