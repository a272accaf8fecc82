"""Generations of a profile: rollback, switching, deletion, and what differs between two."""

from __future__ import annotations

import re
import time

from denizen.errors import BadInput
from denizen.profiles.profile_links import NoSuchGeneration
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.profiles.manifest_changes import ElementChange
    from denizen.profiles.profile_links import Profile, ProfileGeneration

_AGE = re.compile(r"([0-9]{1,6})d\Z")
DAY = 86400


class NoEarlierGeneration(BadInput):
    """The error that a profile cannot be rolled back further."""

    number: int
    WHAT = "there is no generation before {number}"
    REMEDY = "denizen profile history shows those that there are"


class NotASelection(BadInput):
    """The error that a word selects no generations."""

    word: str
    WHAT = "{word} selects no generations"
    REMEDY = "old (all but the current one), numbers, or an age in days: 30d"


@value
class GenerationStep:
    """A generation and what it changed.

    Attributes:
        is_current: it is in force.
        changes: against the generation before it.
        problem: why it cannot be read; "" where it can.
    """

    generation: ProfileGeneration
    is_current: bool
    changes: tuple[ElementChange, ...]
    problem: str = ""


def history(profile: Profile) -> list[GenerationStep]:
    """Return all generations with their changes, oldest first."""
    from denizen.errors import DenizenError
    from denizen.profiles.manifest_changes import difference
    from denizen.profiles.profile_manifest import ProfileManifest

    current = profile.current()
    before, steps = ProfileManifest(), []
    for one in profile.generations():
        try:
            manifest = profile.manifest(one.number)
        except DenizenError as problem:
            steps.append(GenerationStep(one, one.number == current, (), str(problem)))
            continue
        steps.append(GenerationStep(one, one.number == current, difference(before, manifest)))
        before = manifest
    return steps


def rolled_back(profile: Profile, number: int | None) -> int:
    """Switch to the generation before the current one, or to `number`; return the new current number.

    Raises NoSuchGeneration, NoEarlierGeneration.
    """
    with profile.locked():
        current = profile.required()
        earlier = [one for one in profile.numbers() if one < current]
        if number is None:
            if not earlier:
                raise NoEarlierGeneration(current)
            number = earlier[-1]
        profile.switch(number)
        return number


def switched(profile: Profile, number: int) -> None:
    """Make a generation the current one. Raises NoSuchGeneration."""
    with profile.locked():
        profile.switch(number)


def deleted(session: Session, profile: Profile, words: Sequence[str]) -> list[int]:
    """Delete the generations that the words select, and return their numbers; the current one stays.

    Raises NotASelection, NoSuchGeneration, CurrentGeneration, NoStore.
    """
    from denizen.app.supply.store_access import open_store

    with open_store(session) as store, profile.locked():
        numbers = selected(profile, words)
        profile.delete(store.layout, numbers)
        return numbers


def wiped(session: Session, profile: Profile) -> int:
    """Delete a profile with all its generations; return their number. Raises NoSuchGeneration, NoStore."""
    from denizen.app.supply.store_access import open_store

    with open_store(session) as store, profile.locked():
        count = len(profile.numbers())
        if not count:
            raise NoSuchGeneration(profile.place, 0, ())
        profile.wipe(store.layout)
        return count


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
