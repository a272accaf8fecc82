"""Comparison of Debian versions (pure).

Specification: Debian Policy 5.6.12, as dpkg (lib/dpkg/version.c) compares: `[epoch:]upstream[-revision]`,
each part read as alternating runs of non-digits and digits. `~` sorts before everything, even the end of
the part; then the end, then letters, then the rest by code.

`version_key` returns a value that sorts as the versions do, so that sorted() and max() can be used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Run: TypeAlias = tuple[tuple[int, ...], int]
    VersionKey: TypeAlias = tuple[int, tuple[Run, ...], tuple[Run, ...]]

_END = 0
_TILDE = -1
# Letters sort before every other character; the others keep their order after them.
_OTHERS = 256
_NOTHING: Run = ((_END,), 0)


def version_key(version: bytes) -> VersionKey:
    """Return a sort key for `version`.

    Invalid versions are accepted and have a fixed place in the order too.
    """
    epoch, colon, rest = version.partition(b":")
    if not (colon and epoch.isdigit()):
        epoch, rest = b"0", version
    upstream, dash, revision = rest.rpartition(b"-")
    if not dash:
        upstream, revision = rest, b""
    return int(epoch[:18]), _runs(upstream), _runs(revision)


def _runs(part: bytes) -> tuple[Run, ...]:
    runs: list[Run] = []
    position = 0
    while position < len(part):
        start = position
        while position < len(part) and not part[position : position + 1].isdigit():
            position += 1
        letters = tuple([_order(code) for code in part[start:position]])
        start = position
        while position < len(part) and part[position : position + 1].isdigit():
            position += 1
        # The end of a run of letters compares as _END, so that "a~" < "a" < "ab".
        # Base 16 keeps the order of decimal digits, and Python limits only decimal numbers to 4300 digits.
        runs.append(((*letters, _END), int(part[start:position] or b"0", 16)))
    # An empty part is "0" ("1.0" is "1.0-0"). Every part ends with an empty run, since "~" sorts before the
    # end. Only the first run of a part can equal it, as later ones begin with a letter.
    return (*(runs or [_NOTHING]), _NOTHING)


def _order(code: int) -> int:
    if code == ord("~"):
        return _TILDE
    return code if chr(code).isalpha() and code < 128 else code + _OTHERS
