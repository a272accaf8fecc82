"""Parser of Release files of Debian suites: names, dates, and the hash of every index (pure).

Specification: https://wiki.debian.org/DebianRepository/Format, "Release files". One deb822 paragraph;
`SHA256` holds lines of `hash size name`. Weaker hashes are ignored: a file without SHA-256 is treated
as absent.

Limits: deb822's, MAX_FILES names, sizes up to MAX_SIZE.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats.deb822 import paragraphs
from denizen.formats.hashes import HEX_DIGITS
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILES = 200_000
MAX_SIZE = 1 << 40
SHA256_HEX = 64
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_UTC = (b"UTC", b"GMT", b"+0000")


class BadRelease(BadInput):
    """A Release file lacks a field, or a field is malformed.

    Attributes:
        problem: the field and what is wrong with it.
        file: the address of the file, where it is known.
    """

    problem: str
    file: str = "a Release file"
    WHAT = "{file} cannot be used: {problem:text}"


class ReleaseFile(Value):
    """The SHA-256, in hex, and the size in bytes that a Release states of a file."""

    sha256: str
    size: int


class Release(Value):
    """One dated state of a suite.

    Attributes:
        suite, codename: "stable", "trixie"; where only one is given, both are the same.
        date: when it was made, in seconds since 1970.
        valid_until: when it expires, in seconds since 1970; None for never.
        by_hash: files can be requested by their hash.
        all_is_separate: packages of architecture `all` are not repeated in every architecture's Packages.
        files: file names below the suite's directory, with hash and size.
    """

    origin: str
    suite: str
    codename: str
    version: str
    date: int
    valid_until: int | None
    by_hash: bool
    all_is_separate: bool
    architectures: tuple[str, ...]
    components: tuple[str, ...]
    files: Mapping[str, ReleaseFile]


def parse_release(text: bytes) -> Release:
    """Return the Release in `text`, whose signature has been verified (`sources.openpgp`).

    Raises:
        BadControl: not deb822.
        BadRelease: a required field is missing or malformed.
    """
    fields = next(paragraphs(text), {})
    suite, codename = _text(fields, b"suite"), _text(fields, b"codename")
    if not (suite or codename):
        raise BadRelease("it names neither Suite nor Codename")
    return Release(
        origin=_text(fields, b"origin"),
        suite=suite or codename,
        codename=codename or suite,
        version=_text(fields, b"version"),
        date=_date(fields, b"date") or _missing("Date"),
        valid_until=_date(fields, b"valid-until"),
        by_hash=fields.get(b"acquire-by-hash", b"").lower() == b"yes",
        all_is_separate=b"Packages" not in fields.get(b"no-support-for-architecture-all", b""),
        architectures=tuple(_text(fields, b"architectures").split()),
        # Some archives give components with the suite before them, "updates/main".
        components=tuple(_text(fields, b"components").split()),
        files=_files(fields.get(b"sha256", b"")),
    )


def _missing(name: str) -> int:
    raise BadRelease(f"it has no {name}")


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return display(fields.get(name, b"").replace(b"\n", b" "))


def _date(fields: Mapping[bytes, bytes], name: bytes) -> int | None:
    raw = fields.get(name)
    return None if raw is None else parse_date(raw)


def parse_date(raw: bytes) -> int:
    """Return an RFC 2822 date in UTC ("Sat, 11 Jul 2026 10:16:37 UTC") in seconds since 1970.

    strptime is not used, as it expects the locale's names of months. Raises BadRelease.
    """
    try:
        day, month, year, clock, zone = raw.rpartition(b",")[2].split()
        hour, minute, second = (int(part) for part in clock.split(b":"))
        number = _MONTHS.index(month.lower()) + 1
        days = _days_since_1970(int(year), number, int(day))
    except ValueError:
        raise BadRelease(f"the date {display(raw)!r} is unreadable") from None
    if zone not in _UTC or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):
        raise BadRelease(f"the date {display(raw)!r} is unreadable")
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _days_since_1970(year: int, month: int, day: int) -> int:
    # Proleptic Gregorian calendar, with the year starting in March so that leap days come last.
    if not (1970 <= year <= 9999 and 1 <= day <= 31):
        raise ValueError(year)
    year -= month <= 2
    era_day = year * 365 + year // 4 - year // 100 + year // 400
    return era_day + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468


def _files(block: bytes) -> dict[str, ReleaseFile]:
    files: dict[str, ReleaseFile] = {}
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        words = line.split()
        if len(words) != 3 or len(words[0]) != SHA256_HEX or not HEX_DIGITS.issuperset(words[0]):
            raise BadRelease(f"a line of SHA256 is unreadable: {display(line[:100])}")
        if not words[1].isdigit() or len(words[1]) > 14 or int(words[1]) > MAX_SIZE:
            raise BadRelease(f"a size in SHA256 is unreadable: {display(line[:100])}")
        if len(files) >= MAX_FILES:
            raise BadRelease("it lists too many files")
        files[_file_name(words[2])] = ReleaseFile(words[0].decode("ascii"), int(words[1]))
    return files


def _file_name(raw: bytes) -> str:
    name = display(raw)
    if name.startswith("/") or ".." in name.split("/"):
        raise BadRelease(f"a file name leaves the suite's directory: {name}")
    return name
