"""Files of derivations that are named on the command line."""

from __future__ import annotations

import os

from denizen.disk import DiskView
from denizen.errors import DenizenError
from denizen.formats.aterm import MAX_SIZE


class NotRead(DenizenError):
    """The error that a file named on the command line cannot be read."""

    path: str
    reason: str
    WHAT = "{path} cannot be read"
    WHY = "{reason:text}"


def read_derivation(path: str) -> bytes:
    """Return the content of a derivation's file. Raises NotRead."""
    try:
        return bytes(DiskView().read(os.fsencode(path))[: MAX_SIZE + 1])
    except OSError as error:
        raise NotRead(path, error.strerror or str(error)) from error
