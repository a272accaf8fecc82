"""Profiles as lines and as JSON."""

from __future__ import annotations

import os

from denizen.app.formatting import local_time
from denizen.errors import display
from denizen.profiles.summary import summary_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.profiles.profile_access import ProfileChange
    from denizen.app.profiles.profile_generations import GenerationStep
    from denizen.profiles.manifest_changes import ElementChange
    from denizen.profiles.profile_links import Profile
    from denizen.profiles.profile_manifest import ProfileElement

_SHOWN = 12


def change_lines(change: ProfileChange) -> Iterator[str]:
    """Yield a line for each element that a change added, removed or replaced."""
    for one in change.changes:
        yield difference_line(one)
        if one.kind == "added" and one.after is not None and one.after.commands:
            yield f"  commands: {_listed(one.after.commands)}"
    if change.changes:
        yield f"generation {change.number}"


def difference_line(one: ElementChange) -> str:
    """Return a line about one element that differs."""
    name = display(one.name)
    old, new = (display(side.version) if side else "" for side in (one.before, one.after))
    if one.kind == "added":
        return f"+ {name} {new}".rstrip()
    if one.kind == "removed":
        return f"- {name} {old}".rstrip()
    if one.kind == "changed":
        return f"~ {name} {new}: {_what_changed(one)}"
    return f"{'^' if one.kind == 'upgraded' else 'v'} {name} {old} -> {new}"


def _what_changed(one: ElementChange) -> str:
    before, after = one.before, one.after
    assert before is not None
    assert after is not None
    found = []
    if before.pinned != after.pinned:
        found.append("pinned" if after.pinned else "not pinned")
    if before.priority != after.priority:
        found.append(f"priority {before.priority} -> {after.priority}")
    old = {pin.name: pin.version for pin in before.pins}
    moved = [pin for pin in after.pins if old.get(pin.name) != pin.version]
    if moved:
        names = [f"{display(pin.name)} {display(pin.version)}" for pin in moved[:_SHOWN]]
        found.append(f"with {', '.join(names)}")
    return "; ".join(found) or "installed anew"


def change_document(profile: Profile, change: ProfileChange) -> dict[str, object]:
    """Return a change as JSON."""
    return {
        "profile": os.fsdecode(profile.place),
        "generation": change.number,
        "changes": [difference_document(one) for one in change.changes],
    }


def difference_document(one: ElementChange) -> dict[str, object]:
    """Return one element that differs as JSON."""
    return {
        "name": display(one.name),
        "kind": one.kind,
        "before": display(one.before.version) if one.before else None,
        "after": display(one.after.version) if one.after else None,
    }


def detail_lines(one: ProfileElement) -> Iterator[str]:
    """Yield the lines about an element that `list -v` has besides: its commands, and what it depends on."""
    yield f"  commands: {_listed(one.commands, len(one.commands)) or 'none'}"
    if one.pins[1:]:
        names = [f"{display(pin.name)} {display(pin.version)}" for pin in one.pins[1:]]
        yield f"  with: {_listed(names, len(names))}"


def element_document(one: ProfileElement) -> dict[str, object]:
    """Return an element as JSON."""
    return {
        "name": display(one.name),
        "version": display(one.version),
        "kind": one.kind.value,
        "asked": display(one.asked),
        "source": display(summary_row(one).source),
        "size": one.size,
        "priority": one.priority,
        "pinned": one.pinned,
        "commands": [display(name) for name in one.commands],
        "packages": [
            {"name": display(pin.name), "version": display(pin.version), "suite": pin.suite}
            for pin in one.pins
        ],
        "objects": [part.path.base for part in one.parts],
    }


def history_lines(steps: Sequence[GenerationStep]) -> Iterator[str]:
    """Yield the generations, each with what it changed."""
    for step in steps:
        mark = "  (current)" if step.is_current else ""
        yield f"{step.generation.number}  {local_time(step.generation.made)}{mark}"
        for one in step.changes:
            yield f"   {difference_line(one)}"
        if step.problem:
            yield f"   cannot be read: {step.problem}"


def deleted_line(numbers: Sequence[int]) -> str:
    """Return the line about generations that were deleted, of a profile or a system."""
    if not numbers:
        return "nothing to delete"
    return f"deleted: {', '.join(map(str, numbers))}; denizen gc frees what nothing else uses"


def history_document(steps: Sequence[GenerationStep]) -> list[dict[str, object]]:
    """Return the generations as JSON."""
    return [
        {
            "generation": step.generation.number,
            "made": local_time(step.generation.made),
            "current": step.is_current,
            "tree": os.fsdecode(step.generation.tree),
            "changes": [difference_document(one) for one in step.changes],
        }
        for step in steps
    ]


def _listed(names: Sequence[str], most: int = _SHOWN) -> str:
    shown = ", ".join(map(display, names[:most]))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
