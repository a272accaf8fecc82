import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.fileview import MemoryView, ViewLink
from denizen.linker import ldconf
from denizen.linker.ldconf import matches, read_configuration


def directories(**files: bytes) -> tuple[bytes, ...]:
    """What /etc/ld.so.conf says, with other files beside it given by name (`_` for a dot)."""
    view = MemoryView({b"/etc/" + name.replace("_", ".").encode(): text for name, text in files.items()})
    return read_configuration(view).directories


def test_each_line_is_a_directory() -> None:
    assert directories(ld_so_conf=b"/usr/local/lib\n/opt/lib\n") == (b"/usr/local/lib", b"/opt/lib")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"  /a/lib  # why", (b"/a/lib",)),
        (b"/a/lib//", (b"/a/lib",)),
        (b"/a/lib=libc6", (b"/a/lib",)),
        (b"/a/lib\t", (b"/a/lib",)),
        (b"/a b/lib", (b"/a b/lib",)),
        (b"# /a/lib", ()),
        (b"hwcap 0 nosegneg", ()),
        (b"HWCAP\t0", ()),
        (b"include", ()),
        (b"lib", ()),
        (b"/", ()),
        (b"/a\0b", (b"/a",)),
        (b"/a/lib\n/a/lib", (b"/a/lib",)),
    ],
)
def test_a_line_reads_as_ldconfig_reads_it(line: bytes, found: tuple[bytes, ...]) -> None:
    assert directories(ld_so_conf=line) == found


def test_included_files_are_read_where_they_are_named_and_sorted() -> None:
    view = MemoryView(
        {
            b"/etc/ld.so.conf": b"/first\ninclude ld.so.conf.d/*.conf\n/last\n",
            b"/etc/ld.so.conf.d/b.conf": b"/b\n",
            b"/etc/ld.so.conf.d/a.conf": b"/a\n",
            b"/etc/ld.so.conf.d/.hidden.conf": b"/hidden\n",
            b"/etc/ld.so.conf.d/c.conf.bak": b"/bak\n",
        }
    )
    read = read_configuration(view)
    assert read.directories == (b"/first", b"/a", b"/b", b"/last")
    assert read.files == (b"/etc/ld.so.conf", b"/etc/ld.so.conf.d/a.conf", b"/etc/ld.so.conf.d/b.conf")


def test_one_line_may_include_several_patterns() -> None:
    found = directories(ld_so_conf=b"include a.conf\t/etc/b.co?f", a_conf=b"/a", b_conf=b"/b")
    assert found == (b"/a", b"/b")


def test_a_file_that_includes_itself_is_read_once() -> None:
    assert directories(ld_so_conf=b"/a\ninclude ld.so.conf\n/b") == (b"/a", b"/b")


def test_a_file_that_is_not_there_says_nothing() -> None:
    assert read_configuration(MemoryView({})) == ldconf.Configuration((), ())


def test_includes_through_a_loop_of_links_come_to_an_end() -> None:
    view = MemoryView({b"/etc/ld.so.conf": b"include loop/*", b"/etc/loop": ViewLink(b".")})
    read = read_configuration(view)
    assert read.problems == ("too many includes",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\n" * (ldconf.MAX_SIZE + 1), "too many bytes"),
        (b"".join(b"/%d\n" % n for n in range(ldconf.MAX_DIRECTORIES + 1)), "too many directories"),
        (b"include " + b"x" * (ldconf.MAX_PATTERN + 1), "too many bytes in a pattern"),
        (b"include *\n" * 2000, "too many patterns"),
    ],
)
def test_what_is_beyond_a_limit_is_left_out_and_named(content: bytes, problem: str) -> None:
    assert read_configuration(MemoryView({b"/etc/ld.so.conf": content})).problems == (problem,)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        (b"a]", b"[]]", False),
        (b"]", b"[]]", True),
        (b"[", b"[", True),
        (b"b", b"[!a]", True),
        (b"a-b", b"a[-]b", True),
        (b"*", b"\\*", True),
        (b"x", b"\\*", False),
    ],
)
def test_brackets_and_backslashes_match_as_in_fnmatch_3(name: bytes, pattern: bytes, expected: bool) -> None:  # noqa: FBT001  # a table's column
    assert matches(name, pattern) is expected


@given(st.text("ab.", max_size=6), st.text("ab.*?", max_size=6))
def test_stars_and_question_marks_match_as_pythons_do(name: str, pattern: str) -> None:
    assert matches(name.encode(), pattern.encode()) == fnmatch.fnmatchcase(name, pattern)
