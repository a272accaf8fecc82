"""Directories that packages declare."""

from denizen.formats.tmpfiles import directories_in


def test_lines_that_make_a_directory_are_read() -> None:
    text = b"""# a comment
d /run/one 0755 root root -
D! /run/two
v /var/lib/three 0700
L /run/link - - - - /x
d /run/user/%u
d "/run/blank s"
f /run/file
d relative
d
"""
    assert directories_in(text) == [b"/run/one", b"/run/two", b"/var/lib/three"]
