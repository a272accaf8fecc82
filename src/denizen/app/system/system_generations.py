"""The generations that a system has: listed, and deleted with their boot entries."""

from __future__ import annotations

import os

from denizen.app.system.system_access import generation_of, system_store
from denizen.errors import DenizenError
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.system.system_access import SystemAccess
    from denizen.profiles.profile_links import ProfileGeneration
    from denizen.system.system_tree import SystemGeneration


class GenerationInUse(DenizenError):
    """The error that a generation is not deleted because it boots or its files are in force.

    Attributes:
        state: the words for it.
    """

    number: int
    state: str
    WHAT = "generation {number} is {state:text} and is not deleted"
    REMEDY = "denizen system rollback N first"


class ListedGeneration(Value):
    """A generation of the list.

    Attributes:
        is_default: it is the one that boots, and that a rollback counts from.
        is_active: its files are in force.
        entry: the name of its boot entry; "" where it cannot be booted.
        problem: why it cannot be read; "" where it can.
    """

    generation: ProfileGeneration
    is_default: bool
    is_active: bool
    entry: str
    problem: str


def listed(access: SystemAccess) -> list[ListedGeneration]:
    """Return all generations, oldest first. Raises NotOursToSwitch, DamagedEtc, DiskFailed."""
    from denizen.system.activation import Activator

    default = access.profile.current()
    found = access.profile.generations()
    if not found:
        return []
    active = Activator(access.target).active()
    rows = []
    with system_store(access) as store:
        for one in found:
            entry, problem = "", ""
            is_active = os.path.basename(one.tree) == active.encode()
            try:
                generation = generation_of(access, store, one.number)
                entry = _entry_name(access, one.number, generation)
                # One without files of /etc leaves no record there.
                is_active |= not (active or generation.manifest.etc) and one.number == default
            except DenizenError as error:
                problem = str(error)
            rows.append(ListedGeneration(one, one.number == default, is_active, entry, problem))
    return rows


def deleted_generations(access: SystemAccess, words: Sequence[str]) -> list[int]:
    """Delete the generations that words select, and their boot entries; return their numbers.

    The default one stays, and so does the active one.

    Raises NotASelection, NoSuchGeneration, GenerationInUse, NoStore.
    """
    from denizen.app.profiles.generation_selection import selected
    from denizen.app.system.system_switch import SystemSwitch
    from denizen.formats.decimal_number import parse_number
    from denizen.system.activation import Activator

    active = Activator(access.target).active().encode()
    with system_store(access) as store, access.profile.locked():
        numbers = selected(access.profile, words)
        in_force = {
            one.number for one in access.profile.generations() if os.path.basename(one.tree) == active
        }
        named = {number for word in words if (number := parse_number(word)) is not None}
        if (default := access.profile.current()) in named:
            raise GenerationInUse(default, "the default one")
        for number in sorted(named & in_force):
            raise GenerationInUse(number, "active")
        numbers = [one for one in numbers if one not in in_force]
        switching = SystemSwitch(access, store)
        # The entries first: one of a generation that is gone would not boot.
        switching.write_boot(default, leaving=frozenset(numbers))
        access.profile.delete(store.layout, numbers)
        access.profile.forget_leftovers(store.layout)
        return numbers


def _entry_name(access: SystemAccess, number: int, generation: SystemGeneration) -> str:
    from denizen.system.boot_files import bootable

    found = bootable([(number, generation)], access.target.inside)
    return found[0].entry.identifier if found else ""
