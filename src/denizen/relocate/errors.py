"""The errors of this package (pure)."""

from __future__ import annotations

from denizen.errors import BadInput


class CannotPatch(BadInput):
    """The file has no such part, no room, or a form that a change would break; `reason` says which."""

    reason: str
    WHAT = "the file cannot be patched"
    WHY = "{reason:text}"


class WrongPatch(BadInput):
    """The patched bytes, parsed again, are not what was asked for; nothing was written."""

    reason: str
    WHAT = "the patched file is not as asked for, and was not written"
    WHY = "{reason:text}"
    REMEDY = "please report it: denizen patch must not get here"
