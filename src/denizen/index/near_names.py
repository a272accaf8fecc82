"""Known names that resemble an unknown one: what people are offered for a misspelt name (pure)."""

from __future__ import annotations

import re
from difflib import get_close_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from re import Pattern

# Names offered.
MOST = 5
# What is longer is no name of a file (NAME_MAX), and the edits of a name take room with its square.
_LONGEST = 255


def packages_like(name: bytes, known: Collection[bytes]) -> list[bytes]:
    """Return names of packages that resemble an unknown name."""
    # To compare all names takes half a second; people mean names that begin alike or contain this one.
    alike = sorted(one for one in known if one[:2] == name[:2] or name in one)
    holding = sorted((one for one in alike if name in one), key=len)
    return list(dict.fromkeys([*_close(name, alike), *holding]))[:MOST]


def alike_from(soname: bytes) -> bytes:
    """Return the beginning of the sonames to compare with: all 60,000 would take half a second."""
    stem = soname.partition(b".so")[0]
    return stem[: max(4, len(stem) - 3)]


def sonames_like(soname: bytes, known: Collection[bytes]) -> list[bytes]:
    """Return sonames that resemble an unknown one, those of the same library first."""
    stem = soname.partition(b".so")[0]
    names = sorted(known)
    same = [name for name in names if name.partition(b".so")[0] == stem]
    return list(dict.fromkeys([*same, *_close(soname, names)]))[:MOST]


def _close(name: bytes, known: Sequence[bytes]) -> list[bytes]:
    if len(name) > _LONGEST:
        return []
    found = get_close_matches(name.decode("latin-1"), [one.decode("latin-1") for one in known])
    return [one.encode("latin-1") for one in found]


def one_edit_pattern(name: bytes) -> Pattern[bytes]:
    """Return a pattern of names with one byte more, less or other than `name`, or two exchanged."""
    if len(name) > _LONGEST:
        return re.compile(rb"(?!)")
    cuts = [(name[:i], name[i : i + 1], name[i + 1 :]) for i in range(len(name) + 1)]
    edits = [
        edit
        for head, byte, tail in cuts
        for edit in (
            re.escape(head) + b".?" + re.escape(tail),
            re.escape(head) + b"." + re.escape(byte + tail),
            re.escape(head + tail[:1] + byte + tail[1:]),
        )
    ]
    return re.compile(b"(?:" + b"|".join(edits) + rb")\Z", re.DOTALL)
