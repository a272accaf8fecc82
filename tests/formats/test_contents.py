import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.contents import (
    MAX_PREAMBLE,
    BadContents,
    groups,
    lines_holding,
    packages_of,
    whole_lines,
)

TEXT = b"""\
bin/ls                    utils/coreutils
usr/bin/a b               utils/spaced
usr/lib/libx.so.1\tlibs/libx1,non-free/libs/libx1-copy
usr/lib/libx.so.1.2       libs/libx1
"""


def test_names_that_share_directory_and_location_come_together() -> None:
    assert list(groups([b"d/a s/p\nd/b s/p\nd/c s/q\ne/a s/q\n"])) == [
        (b"d", b"s/p", [b"a", b"b"]),
        (b"d", b"s/q", [b"c"]),
        (b"e", b"s/q", [b"a"]),
    ]


def test_a_path_may_hold_spaces_and_end_without_a_newline() -> None:
    assert list(groups([TEXT.rstrip(b"\n")])) == [
        (b"bin", b"utils/coreutils", [b"ls"]),
        (b"usr/bin", b"utils/spaced", [b"a b"]),
        (b"usr/lib", b"libs/libx1,non-free/libs/libx1-copy", [b"libx.so.1"]),
        (b"usr/lib", b"libs/libx1", [b"libx.so.1.2"]),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 1000])
def test_where_chunks_are_cut_makes_no_difference(size: int) -> None:
    chunks = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    assert list(groups(chunks)) == list(groups([TEXT]))
    assert list(lines_holding(chunks, b".so")) == list(lines_holding([TEXT], b".so"))


def test_only_lines_with_the_needle_are_given_and_each_once() -> None:
    assert list(lines_holding([b"a.so.so s/p\nb s/q.so\nc s/p\n"], b".so")) == [
        (b"a.so.so", b"s/p"),
        (b"b", b"s/q.so"),
    ]


def test_a_preamble_is_passed_over_but_a_file_named_so_is_not() -> None:
    assert list(groups([b"Some prose here.\nFILE      LOCATION\nd/a s/p\n"])) == [(b"d", b"s/p", [b"a"])]
    assert list(groups([b"FILE s/p\n"])) == [(b"", b"s/p", [b"FILE"])]


def test_older_files_begin_every_path_with_a_dot() -> None:
    assert list(groups([b"./a s/p\n./d/b s/p\n"])) == [(b"", b"s/p", [b"a"]), (b"d", b"s/p", [b"b"])]


def test_packages_are_named_without_area_and_section() -> None:
    assert packages_of(b"libs/a,non-free/libs/b,c") == (b"a", b"b", b"c")


def test_a_line_without_location_is_refused() -> None:
    with pytest.raises(BadContents, match="no location"):
        list(groups([b"d/a s/p\nlonely\n"]))
    with pytest.raises(BadContents, match="no location"):
        list(lines_holding([b"lonely.so\n"], b".so"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(BadContents, match="no end"):
        list(whole_lines(b"x" * 4096 for _ in range(1 << 20)))


LINES = st.lists(
    st.tuples(
        st.from_regex(r"\A[a-c]{1,3}(/[a-c .]{1,4}){0,3}[a-c]\Z"),
        st.sampled_from(["s/p", "q", "a/s/r,s/p"]),
    ),
    max_size=30,
)


@given(LINES, st.integers(1, 50))
def test_every_path_comes_back_with_its_location(lines: list[tuple[str, str]], size: int) -> None:
    text = "".join(f"{path}   {location}\n" for path, location in lines).encode()
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    found = [
        (directory + b"/" + name if directory else name, location)
        for directory, location, names in groups(chunks)
        for name in names
    ]
    assert [(path.decode(), location.decode()) for path, location in found] == lines


@given(st.binary(max_size=300))
def test_any_bytes_are_contents_or_refused(text: bytes) -> None:
    try:
        list(groups([text]))
    except BadContents:
        return


@pytest.mark.parametrize("size", [1, 5, 30, 1000])
def test_prose_before_the_list_is_left_out_wherever_it_is_cut(size: int) -> None:
    text = b"This FILE maps\nFILE to package.\n\nFILE      LOCATION\n" + TEXT
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(groups(chunks)) == list(groups([TEXT]))


def test_what_looks_like_the_end_of_prose_is_a_path_when_it_comes_late() -> None:
    text = b"a b\n" * MAX_PREAMBLE + b"FILE LOCATION\n"
    assert list(groups([text]))[-1] == (b"", b"LOCATION", [b"FILE"])
