"""Alternatives, read from scripts that are never run."""

import pytest

from denizen.fhs import maintainer_script
from denizen.fhs.alternatives import Alternative, alternatives_in, winners
from denizen.fhs.diversions import diversions_in

AWK = """#!/bin/sh
if [ "$1" = "configure" ]; then
    update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/mawk 5 \\
        --slave /usr/bin/nawk nawk /usr/bin/mawk
fi
"""


def test_alternatives_are_read_over_continued_lines() -> None:
    assert list(alternatives_in(AWK.encode())) == [
        Alternative(
            b"/usr/bin/awk", b"awk", b"/usr/bin/mawk", 5, ((b"/usr/bin/nawk", b"nawk", b"/usr/bin/mawk"),)
        )
    ]


AUTOMAKE = """#!/bin/sh
set -e
ver=1.17
prio="35"
update-alternatives --install /usr/bin/automake automake \\
\t/usr/bin/automake-$ver $prio \\
\t--slave /usr/bin/aclocal aclocal "/usr/bin/aclocal-${ver}" || true
"""


def test_variables_that_have_one_value_are_known() -> None:
    assert list(alternatives_in(AUTOMAKE.encode())) == [
        Alternative(
            b"/usr/bin/automake",
            b"automake",
            b"/usr/bin/automake-1.17",
            35,
            ((b"/usr/bin/aclocal", b"aclocal", b"/usr/bin/aclocal-1.17"),),
        )
    ]


def test_a_loop_over_known_words_makes_an_alternative_of_each() -> None:
    script = """tools='jar javac'
case "$1" in
configure)
    for tool in $tools; do
        update-alternatives --install /usr/bin/$tool $tool /opt/'java'/$tool 7 $slaves
    done
    update-alternatives --install /usr/bin/$tool $tool /x 7
esac
"""
    assert list(alternatives_in(script.encode())) == [
        Alternative(b"/usr/bin/jar", b"jar", b"/opt/java/jar", 7),
        Alternative(b"/usr/bin/javac", b"javac", b"/opt/java/javac", 7),
    ]


def test_the_words_behind_what_is_not_known_are_passed_over() -> None:
    script = b"update-alternatives --install /l n /p 5 --slave /a b /c --slave $(echo /d e /f)"
    assert list(alternatives_in(script)) == [Alternative(b"/l", b"n", b"/p", 5, ((b"/a", b"b", b"/c"),))]


@pytest.mark.parametrize(
    "line",
    [
        "v=1; v=2; update-alternatives --install /usr/bin/x x /usr/bin/x-$v 5",
        "v=$1; update-alternatives --install /usr/bin/x x /usr/bin/x-$v 5",
        "for v in $all; do update-alternatives --install /usr/bin/x x /usr/bin/x-$v 5; done",
        "# update-alternatives --install /usr/bin/x x /usr/bin/y 5",
        "update-alternatives --install /usr/bin/x x /usr/bin/y* 5",
        "update-alternatives --install /usr/bin/x x $TOOL 5",
        "update-alternatives --install /usr/bin/x x `which x` 5",
        "update-alternatives --install /usr/bin/x x /usr/bin/y high",
        "update-alternatives --install /usr/bin/x x /usr/bin/y --5",
        "update-alternatives --install /usr/bin/x ../x /usr/bin/y 5",
        "update-alternatives --install /usr/../x x /usr/bin/y 5",
        "update-alternatives --remove x /usr/bin/y",
        "echo update-alternatives --install /usr/bin/x x /usr/bin/y 5",
    ],
)
def test_what_takes_a_shell_to_know_is_not_guessed(line: str) -> None:
    assert list(alternatives_in(line.encode())) == []


def test_the_highest_priority_has_the_name() -> None:
    low, high = (Alternative(b"/l", b"n", path, rank) for path, rank in ((b"/a", 5), (b"/b", 10)))
    assert winners([low, high])[b"n"] is high
    assert winners([high, low])[b"n"] is high


def test_a_short_script_that_expands_without_end_is_read_up_to_a_limit() -> None:
    loops = "".join([f"for v{at} in a b c d e f g h\ndo\n" for at in range(30)])
    words = "".join([f"$v{at}" for at in range(30)])
    call = "update-alternatives --install /usr/bin/x x"
    script = f"{call} /usr/bin/y 5\n{loops}{call} /usr/bin/{words} 5\n"
    found = list(alternatives_in(script.encode()))
    assert found[0] == Alternative(b"/usr/bin/x", b"x", b"/usr/bin/y", 5)
    assert 1 < len(found) < 10_000


def test_a_quotation_without_end_is_read_once() -> None:
    line = b"update-alternatives --install /usr/bin/x x /usr/bin/y 5\n"
    assert len(list(alternatives_in(line + b'"' + b"$usr/a a" * 1000))) == 1


def test_loops_in_one_another_are_followed_as_deep_as_scripts_have_them() -> None:
    line = "update-alternatives --install /usr/bin/x x /usr/bin/y 5\n"
    ends = "done\n" * 40
    shallow = "for a in b; do\n" * 20 + line + ends
    deep = "for a in b; do\n" * 40 + line + ends
    assert len(list(alternatives_in(shallow.encode()))) == 1
    assert list(alternatives_in((line + deep).encode())) == list(alternatives_in(line.encode()))


def test_a_script_is_read_once_for_all_that_is_asked_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fuzzer's script with calls of both programs took twice its time."""
    maintainer_script._read.cache_clear()
    split, read = maintainer_script._commands, []

    def counted(script: bytes) -> object:
        read.append(script)
        return split(script)

    monkeypatch.setattr(maintainer_script, "_commands", counted)
    script = b"update-alternatives --install /a b /c 5\ndpkg-divert /usr/x\n"
    assert list(alternatives_in(script))
    assert list(diversions_in(script, b"own"))
    assert read == [script]
