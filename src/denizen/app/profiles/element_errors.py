"""Errors about a thing to be installed, or about the name it is to have (pure).

They are imported where they are raised, as those of profiles are (profiles/profile_errors.py).
"""

from __future__ import annotations

from denizen.errors import BadInput, display


class NothingExported(BadInput):
    """The error that a thing has neither commands nor data for a profile."""

    name: str
    remedies: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        return f"{display(self.name)} has nothing that a profile shows: no commands, no data"

    @property
    def remedy(self) -> str:
        return "; ".join(self.remedies)


class BadElementName(BadInput):
    """The error that a name of an element, which is also that of a URL's command, is no file name."""

    name: str
    WHAT = "{name:text} cannot be the name of what is installed"
    WHY = "it has to be a file name, without control characters"
    REMEDY = "--name NAME"
