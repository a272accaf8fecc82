"""Priorities of libraries that a program opens at run time: which come unasked, which may be missing (pure).

The words are those of `.note.dlopen` (elf/notes.py, which has the one where a note states none); rule packs
use them too. Strings in a
program that look like names of libraries are suggestions.
"""

from __future__ import annotations

from denizen.elf.notes import PRIORITIES

# In the order in which they are chosen.
REQUIRED, RECOMMENDED, SUGGESTED = PRIORITIES


def rank(priority: str) -> int:
    """Return the place of a priority in their order; a word that is none comes last."""
    return PRIORITIES.index(priority) if priority in PRIORITIES else len(PRIORITIES)


def comes_unasked(priority: str) -> bool:
    """Tell whether such a library is chosen with the program, before it is opened."""
    return priority != SUGGESTED


def may_be_missing(priority: str) -> bool:
    """Tell whether a resolution without such a library is complete."""
    return priority != REQUIRED


def is_lacking(priority: str, *, alternatives: int) -> bool:
    """Tell whether a host without such a library lacks it, which has so many names of which one will do.

    Of a recommended library that has one name a program does without.
    """
    return priority == REQUIRED or (priority == RECOMMENDED and alternatives > 1)
