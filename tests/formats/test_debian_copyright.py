import pytest

from denizen.formats.debian_copyright import licences

_HEAD = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


def test_each_licence_is_named_once_in_the_order_of_the_file() -> None:
    content = (
        _HEAD + b"\nFiles: *\nLicense: MIT\n text\n\nFiles: a\nLicense: GPL-2+ or Artistic\n\nLicense: MIT\n"
    )
    assert licences(content) == ("MIT", "GPL-2+ or Artistic")


@pytest.mark.parametrize("content", [b"", b"License: MIT\n", b"This package is free.\nLicense: MIT\n", _HEAD])
def test_of_prose_nothing_is_told(content: bytes) -> None:
    assert licences(content) == ()
