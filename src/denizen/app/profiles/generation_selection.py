"""The words that select generations to delete: `old`, numbers, an age in days as Nix counts it (`30d`)."""

from __future__ import annotations

import re
import time

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.profiles.profile_links import Profile

_AGE = re.compile(r"([0-9]{1,6})d\Z")
DAY = 86400


class NotASelection(BadInput):
    """The error that a word selects no generations."""

    word: str
    WHAT = "{word} selects no generations"
    REMEDY = "old (all but the current one), numbers, or an age in days: 30d"


def selected(profile: Profile, words: Sequence[str]) -> list[int]:
    """Return the numbers of the generations that the words select. Raises NotASelection."""
    current, found = profile.current(), set()
    for word in words:
        age = _AGE.match(word)
        if word == "old":
            found |= {number for number in profile.numbers() if number != current}
        elif age:
            found |= _older(profile, int(age.group(1)) * DAY, current)
        elif word.isascii() and word.isdigit() and len(word) < 10:
            found.add(int(word))
        else:
            raise NotASelection(word)
    return sorted(found)


def _older(profile: Profile, age: int, current: int | None) -> set[int]:
    """Return the generations that were not in force any more so many seconds ago.

    As Nix counts: the one that was current then is kept, so that the state of that time can be had again.
    """
    limit = time.time() - age
    old = [one.number for one in profile.generations() if one.made < limit]
    return {number for number in old[:-1] if number != current}
