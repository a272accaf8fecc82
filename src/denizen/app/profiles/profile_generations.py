"""Generations of a profile: rollback, switching, deletion, and what differs between two."""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.profiles.profile_errors import NoSuchGeneration
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.profiles.manifest_changes import ElementChange
    from denizen.profiles.profile_links import Profile, ProfileGeneration


class NoEarlierGeneration(BadInput):
    """The error that a profile cannot be rolled back further."""

    number: int
    WHAT = "there is no generation before {number}"
    REMEDY = "denizen profile history shows those that there are"


class GenerationStep(Value):
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
    from denizen.app.profiles.generation_selection import selected
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
            raise NoSuchGeneration(profile.place, 0, (), profile.WAYS)
        profile.wipe(store.layout)
        return count
