"""Directories of state that packages count on."""

import pytest

from denizen.fhs.state_directories import MAX_DIRECTORIES, state_directories_in, wanted_directories
from denizen.fhs.trigger_rules import StatePlaces

PLACES = StatePlaces(("run", "var/lib"), ("var/lib/dpkg", "run/lock"))


@pytest.mark.parametrize(
    ("script", "made"),
    [
        (b"install -d -oroot -g adm -m2750 /var/log/a /run/b", [b"/var/log/a", b"/run/b"]),
        (b"install -m 644 /var/lib/a /var/lib/b", []),
        (b'D=/var/lib/a\nmkdir -p $D/b "$X" 2>/dev/null', [b"/var/lib/a/b"]),
        (b"mkdir -p -m 755 /etc/x /var/lib/y", [b"/var/lib/y"]),
    ],
)  # fmt: skip
def test_a_script_makes_directories(script: bytes, made: list[bytes]) -> None:
    assert list(state_directories_in(script)) == made


def test_only_state_is_shown_and_no_installers() -> None:
    paths = [b"/var/lib/b/", b"/var/run/a", b"/var/lib/b", b"/var/lib", b"/var/lib/dpkg/x", b"/var/lock/y"]
    paths += [b"/var/lib/../../etc/x", b"/var/lib/dpkg", b"/usr/x"]
    assert wanted_directories(paths, PLACES) == [b"/run/a", b"/var/lib/b"]


def test_there_is_an_end_to_them() -> None:
    assert len(wanted_directories((b"/run/%d" % n for n in range(1000)), PLACES)) == MAX_DIRECTORIES
