"""dpkg's diversions, read from scripts that are never run."""

import pytest

from denizen.fhs.diversions import Diversion, DivertedPaths, diversions_in
from denizen.formats.storepath import StorePath

# isc-dhcp-server-ldap's, of Debian 13.
PREINST = b"""#!/bin/sh
set -e
if [ "$1" = install -o "$1" = upgrade ]; then
\tif dpkg-divert --list /usr/sbin/dhcpd \\
\t\t| grep -q "by isc-dhcp-server-ldap";
\tthen
\t\texit 0
\tfi
\tdpkg-divert --package isc-dhcp-server-ldap --add --rename \\
\t\t--divert /usr/sbin/dhcpd-noldap /usr/sbin/dhcpd
fi
"""
MINE, OTHER = StorePath("0" * 32, "mine"), StorePath("1" * 32, "other")


def test_what_a_preinst_adds_is_read_and_what_it_lists_is_not() -> None:
    assert list(diversions_in(PREINST, b"x")) == [
        Diversion(b"isc-dhcp-server-ldap", b"/usr/sbin/dhcpd", b"/usr/sbin/dhcpd-noldap")
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (b"--add /a/b", Diversion(b"own", b"/a/b", b"/a/b.distrib")),
        (b"/a/b", Diversion(b"own", b"/a/b", b"/a/b.distrib")),
        (b"--local --no-rename --divert=/c /a", Diversion(b"", b"/a", b"/c")),
        (b"--package=p --divert /c --quiet /a", Diversion(b"p", b"/a", b"/c")),
        (b"--remove /a", None),
        (b"--truename /a", None),
        (b"--add", None),
        (b"--add /a /b", None),
        (b"--divert /a /a", None),
        (b"--divert /a/../../x /a", None),
        (b"--divert x /a", None),
        (b"--add '/a\tb'", None),
        (b'--divert "$2" /a', None),
    ],
)
def test_the_words_of_dpkg_divert(words: bytes, found: Diversion | None) -> None:
    assert list(diversions_in(b"dpkg-divert " + words + b"\n", b"own")) == ([found] if found else [])


def test_others_files_are_diverted_below_usr_and_the_packages_own_stay() -> None:
    paths = DivertedPaths(
        [(b"/bin/a", b"/bin/a.real", MINE), (b"/usr/b", b"/usr/c", None), (b"/usr/d", b"/root/d", MINE)]
    )
    assert paths.place_of(b"usr/bin/a", OTHER) == b"usr/bin/a.real"
    assert paths.place_of(b"usr/bin/a", MINE) == b"usr/bin/a"
    assert paths.place_of(b"usr/b", MINE) == b"usr/c"
    assert paths.place_of(b"usr/d", OTHER) == b"usr/d"  # a tree has no /root
