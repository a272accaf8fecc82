"""The check of a project's file that was found, not named (denizen.toml, recipe.toml): whose it is."""

from __future__ import annotations

import os

from denizen.errors import display
from denizen.fhs.project_environment import LOCK
from denizen.trust import check_found


def trusted_project(path: str, option: str) -> str:
    """Return the path of a project's file; `option` is the one by which a user names a file of another's.

    Raises:
        Untrusted: another user wrote the file, or the lock beside it.
    """
    for one in (path, os.path.join(os.path.dirname(path), LOCK)):
        check_found(os.fsencode(one), f"if you trust who wrote it: {option} {display(path)}")
    return path
