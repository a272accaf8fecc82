"""Findings of runs: libraries that programs of a recipe opened, from the decisions into denizen.lock."""

from __future__ import annotations

import os

from denizen.app.recipes.recipe_lock import lock_findings, locked_findings
from denizen.app.resolution.earlier_runs import opened_by
from denizen.recipes.findings_table import RunFinding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.recipes.recipe_files import RecipeFile
    from denizen.app.session import Session
    from denizen.store.local import Store

# Directories of an output that have programs.
_PROGRAMS = (b"bin", b"sbin", b"libexec")


def new_findings(session: Session, store: Store, one: RecipeFile) -> tuple[RunFinding, ...]:
    """Return what the programs of a recipe's outputs in the store opened, that its lock does not have."""
    known = set(locked_findings(one.path, one.recipe.name))
    found = dict.fromkeys(
        finding for program in _programs(store, one) for finding in _of_program(session, program)
    )
    return tuple([finding for finding in found if finding not in known])


def record_findings(session: Session, store: Store, one: RecipeFile) -> bool:
    """Write what programs opened into the lock beside a recipe; return whether anything was new."""
    found = new_findings(session, store, one)
    if found:
        lock_findings(one.path, one.recipe.name, (*locked_findings(one.path, one.recipe.name), *found))
    return bool(found)


def _programs(store: Store, one: RecipeFile) -> Iterator[bytes]:
    """Yield the programs of all outputs of a recipe that are in the store, of other builds of it too."""
    for path in store.database.paths():
        if path.name != one.recipe.full_name:
            continue
        for directory in _PROGRAMS:
            top = os.path.join(store.place_of(path), directory)
            if os.path.isdir(top):
                yield from [os.path.join(top, name) for name in sorted(os.listdir(top))]


def _of_program(session: Session, program: bytes) -> Iterator[RunFinding]:
    for record in opened_by(session, program):
        for asked in record.asked():
            for package in asked.packages:
                words = (os.path.basename(program), asked.soname, package.partition(b"=")[0])
                yield RunFinding(*map(os.fsdecode, words))
