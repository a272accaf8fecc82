import gzip

import pytest

from denizen.formats.debian_changelog import newest_version

_ENTRY = b"\n  * Forty changes.\n\n -- A <a@example.org>  Mon, 30 Nov 2026 10:00:00 +0000\n\n"


def test_the_first_line_has_the_newest_version() -> None:
    content = b"player (1:2.0~rc1+dfsg-3+deb12u1) bookworm-security; urgency=high\n" + _ENTRY
    content += b"player (1.9-1) unstable; urgency=low\n" + _ENTRY
    assert newest_version(gzip.compress(content)) == b"1:2.0~rc1+dfsg-3+deb12u1"


def test_no_more_is_decompressed_than_a_first_line_has() -> None:
    content = gzip.compress(b"player (1.0-1) unstable; urgency=low\n" + bytes(1 << 20))
    assert newest_version(content[:100]) == b"1.0-1"


@pytest.mark.parametrize(
    "content",
    [b"", b"Version 1.0\n", b"player (next) unstable\n", b" " * 5000 + b"player (1.0-1) unstable\n"],
)
def test_of_what_is_no_changelog_nothing_is_told(content: bytes) -> None:
    assert newest_version(gzip.compress(content)) == b""


def test_of_what_is_not_compressed_nothing_is_told() -> None:
    assert newest_version(b"player (1.0-1) unstable; urgency=low\n") == b""
