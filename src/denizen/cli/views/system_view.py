"""Generations of a system and their activation, as lines and as JSON."""

from __future__ import annotations

import os

from denizen.app.formatting import local_time
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.system.system_generations import ListedGeneration
    from denizen.app.system.system_switch import SystemChange


def change_lines(change: SystemChange) -> Iterator[str]:
    """Yield a line for each step of an activation."""
    plan, etc = change.plan, change.plan.etc
    if plan.interrupted:
        yield "an activation that was interrupted is put in order"
    for sentence in plan.accounts.added:
        yield f"+ {display(sentence)}"
    for one in plan.directories:
        yield f"+ {display(one.path)}  {one.mode:04o} {one.user}:{one.group}"
    for mark, paths in (("+", etc.added), ("~", etc.remade), ("-", etc.removed)):
        for path in paths:
            yield f"{mark} /etc/{display(path)}{_about(path, change)}"
    for path in etc.foreign:
        yield f"  /etc/{display(path)} is not denizen's any more, and stays"
    yield from plan.commands
    yield from (f"+ /{display(place)}" for place, _ in change.boot.writes)
    yield from (f"- /{display(place)}" for place in change.boot.removals)
    if plan.is_nothing and not (change.boot.writes or change.boot.removals):
        yield "nothing to change"
    if change.number is not None:
        yield f"generation {change.number}"


def _about(path: str, change: SystemChange) -> str:
    etc = change.plan.etc
    if path in etc.kept:
        return "  (the file that is there is put aside)"
    return "  (the file that was there comes back)" if path in etc.restored else ""


def change_document(change: SystemChange) -> dict[str, object]:
    """Return an activation, done or planned, as JSON."""
    plan, etc = change.plan, change.plan.etc
    return {
        "generation": change.number,
        "tree": os.fsdecode(change.tree),
        "interrupted": plan.interrupted,
        "accounts": [display(one) for one in plan.accounts.added],
        "directories": [
            {"path": one.path, "mode": f"{one.mode:04o}", "user": one.user, "group": one.group}
            for one in plan.directories
        ],
        "etc": {
            "added": list(etc.added),
            "kept": list(etc.kept),
            "changed": list(etc.remade),
            "removed": list(etc.removed),
            "restored": list(etc.restored),
            "foreign": list(etc.foreign),
        },
        "units": {
            "stop": list(plan.units.stop),
            "daemon_reload": plan.units.reload_manager,
            "reload": list(plan.units.reload),
            "restart": list(plan.units.restart),
            "start": list(plan.units.start),
        },
        "commands": list(plan.commands),
        "boot": {
            "written": [display(path) for path, _ in change.boot.writes],
            "removed": [display(path) for path in change.boot.removals],
        },
        "notes": list(plan.notes),
    }


def list_lines(rows: Sequence[ListedGeneration]) -> Iterator[str]:
    """Yield a line for each generation."""
    for one in rows:
        words = [word for word, holds in (("boots", one.is_default), ("active", one.is_active)) if holds]
        mark = f"  ({', '.join(words)})" if words else ""
        made = local_time(one.generation.made)
        yield f"{one.generation.number}  {made}{mark}  {display(one.generation.tree)}"
        if one.problem:
            yield f"   cannot be read: {one.problem}"


def list_document(rows: Sequence[ListedGeneration]) -> list[dict[str, object]]:
    """Return the generations as JSON."""
    return [
        {
            "generation": one.generation.number,
            "made": local_time(one.generation.made),
            "default": one.is_default,
            "active": one.is_active,
            "tree": os.fsdecode(one.generation.tree),
            "entry": one.entry,
            "problem": one.problem,
        }
        for one in rows
    ]
