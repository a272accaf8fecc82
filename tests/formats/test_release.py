from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.deb822 import BadControl
from denizen.formats.release import BadRelease, ReleaseFile, parse_date, parse_release

DIGEST = "a" * 64
GOOD = f"""Origin: Debian
Suite: stable
Codename: trixie
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC
Acquire-By-Hash: yes
No-Support-for-Architecture-all: Packages
Architectures: all amd64 i386
Components: main contrib
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 0 main/Contents-udeb-all
SHA256:
 {DIGEST} 12 main/binary-amd64/Packages.xz
""".encode()


def test_a_release_says_what_it_is_and_what_its_files_must_be() -> None:
    release = parse_release(GOOD)
    assert (release.suite, release.codename, release.by_hash) == ("stable", "trixie", True)
    assert (release.date, release.valid_until) == (1789199741, 1789199741 + 7 * 86400)
    assert release.architectures == ("all", "amd64", "i386")
    assert release.components == ("main", "contrib")
    assert not release.all_is_separate
    assert release.files == {"main/binary-amd64/Packages.xz": ReleaseFile(DIGEST, 12)}


def test_weak_hashes_alone_make_no_file() -> None:
    assert parse_release(GOOD.partition(b"SHA256")[0]).files == {}


def test_a_release_with_one_name_has_it_as_both() -> None:
    release = parse_release(GOOD.replace(b"Suite: stable\n", b""))
    assert (release.suite, release.codename) == ("trixie", "trixie")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"Suite: stable\nCodename: trixie\n", b"", "neither Suite nor Codename"),
        (b"Date: Sat, 12 Sep 2026 07:55:41 UTC\n", b"", "no Date"),
        (b"12 Sep 2026", b"12 Foo 2026", "the date"),
        (b"07:55:41 UTC\nValid", b"07:55:41 CEST\nValid", "the date"),
        (DIGEST.encode(), b"a" * 63, "a line of SHA256"),
        (DIGEST.encode(), b"Z" * 64, "a line of SHA256"),
        (b" 12 main", b" -1 main", "a size in SHA256"),
        (b" 12 main", b" 99999999999999 main", "a size in SHA256"),
        (b"main/binary-amd64", b"../binary-amd64", "leaves the suite's directory"),
        (b"main/binary-amd64", b"/main/binary-amd64", "leaves the suite's directory"),
    ],
)
def test_what_a_release_must_not_be_is_refused(old: bytes, new: bytes, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(BadRelease, match=problem):
        parse_release(GOOD.replace(old, new))


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001  # hypothesis wants naive bounds
def test_dates_are_read_as_the_mail_standard_writes_them(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC, microsecond=0)
    assert parse_date(format_datetime(aware).encode()) == int(aware.timestamp())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_release_or_refused(text: bytes) -> None:
    try:
        parse_release(GOOD[:200] + text)
    except (BadRelease, BadControl):
        return
