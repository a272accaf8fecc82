"""The machine's apt configuration: its entries of sources, those that may be Debian's, Check-Valid-Until."""

from __future__ import annotations

import itertools
import posixpath

from denizen.formats.aptsources import BadSources, parse_deb822, parse_one_line
from denizen.formats.deb822 import BadControl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.formats.aptsources import AptSource

# Suite names by which an entry of apt is taken to be of Debian's archive.
_DEBIAN_SUITES = frozenset(
    (
        *("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"),
        *("duke", "forky", "trixie", "bookworm", "bullseye", "buster"),
    )
)
_APT = b"/etc/apt"
SUFFIX = b".sources"
_EXPIRY = b"Check-Valid-Until"
# Replaces the punctuation of apt.conf(5), which leaves a sequence of names and values.
_BLANKS = bytes.maketrans(b'"{};', b"    ")


def apt_lists(view: FileView) -> list[bytes]:
    """Return the files and the directory that have apt's entries, whether they exist or not."""
    lists = _APT + b"/sources.list.d"
    return [_APT + b"/sources.list", lists, *files_in(view, lists, SUFFIX), *files_in(view, lists, b".list")]


def apt_checks_expiry(view: FileView) -> bool:
    """Return apt.conf(5)'s Acquire::Check-Valid-Until, written in one line or nested."""
    answer = True
    for path in [_APT + b"/apt.conf", *files_in(view, _APT + b"/apt.conf.d", b"")]:
        try:
            text = bytes(view.read(path))
        except OSError:
            continue
        # A machine's ten files of apt.conf.d hardly ever have it.
        for line in text.split(b"\n") if _EXPIRY in text else ():
            words = line.partition(b"//")[0].partition(b"#")[0].translate(_BLANKS).split()
            for name, setting in itertools.pairwise(words):
                if name.endswith(_EXPIRY):
                    answer = setting.lower() not in (b"false", b"no", b"0", b"off")
    return answer


def apt_entries(view: FileView) -> Iterator[tuple[bytes, AptSource]]:
    """Yield the entries of apt's lists, disabled ones too, each with the path of its file."""
    lists = [_APT + b"/sources.list", *files_in(view, _APT + b"/sources.list.d", b".list")]
    for path in [*files_in(view, _APT + b"/sources.list.d", SUFFIX), *lists]:
        try:
            text = bytes(view.read(path))
            parse = parse_deb822 if path.endswith(SUFFIX) else parse_one_line
            yield from [(path, entry) for entry in parse(text)]
        except (OSError, BadControl, BadSources):
            # A list that cannot be read is skipped; apt reports it itself.
            continue


def may_be_debian(entry: AptSource) -> bool:
    """Tell whether an entry is enabled, of packages, and perhaps of Debian's archive, by its suites."""
    # Suites for security and updates are not in this set: they lack most packages.
    named = any(suite in _DEBIAN_SUITES for suite in entry.suites)
    return entry.enabled and "deb" in entry.types and bool(entry.uris) and named


def files_in(view: FileView, directory: bytes, suffix: bytes) -> list[bytes]:
    """Return the paths of a directory's visible files whose names end so; none where it cannot be read."""
    try:
        names = view.listdir(directory)
    except OSError:
        return []
    return [posixpath.join(directory, name) for name in names if name.endswith(suffix) and name[:1] != b"."]
