"""Errors about a profile, its generations, or what is asked of them (pure).

They are imported where they are raised: to create a class of errors takes 25 us, and an installation, which
raises none of them, is measured in milliseconds.
"""

from __future__ import annotations

from denizen.errors import BadInput, DenizenError, display


class BadProfileName(BadInput):
    """The error that a profile cannot have this name."""

    name: str
    WHAT = "a profile cannot be called {name}"
    WHY = "a name has letters, digits and + . _ -, begins with a letter or digit, and does not end in -link"
    REMEDY = "a path, with a slash in it, may be any"


class NotAProfile(BadInput):
    """The error that at the place of a profile there is something else."""

    place: bytes
    problem: str
    WHAT = "{place} is not a profile"
    WHY = "{problem:text}; a profile is a link to NAME-N-link beside it"
    REMEDY = "--profile with another path"


class NoSuchGeneration(DenizenError):
    """The error that a profile has no such generation.

    Attributes:
        ways: the command that makes the first one, and the one that lists those that there are.
    """

    profile: bytes
    wanted: int
    known: tuple[int, ...]
    ways: tuple[str, str]

    @property
    def what(self) -> str:
        if not self.known:
            return f"the profile {display(self.profile)} has no generation yet"
        return f"the profile {display(self.profile)} has no generation {self.wanted}"

    @property
    def why(self) -> str:
        return f"there are: {', '.join(map(str, self.known))}" if self.known else ""

    @property
    def remedy(self) -> str:
        first, listing = self.ways
        return listing if self.known else first


class CurrentGeneration(DenizenError):
    """The error that the current generation is not deleted."""

    number: int
    WHAT = "generation {number} is the current one and is not deleted"
    REMEDY = "denizen profile switch N first"


class DamagedProfile(BadInput):
    """The error that a generation's manifest cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} is not the manifest of a profile"
    WHY = "{problem:text}"
    REMEDY = "denizen profile rollback goes back to the generation before"


class NotInProfile(BadInput):
    """The error that a profile has no element of these names.

    Attributes:
        near: names in the profile that resemble them.
    """

    names: tuple[str, ...]
    near: tuple[str, ...]

    @property
    def what(self) -> str:
        return f"not installed: {', '.join(map(display, self.names))}"

    @property
    def why(self) -> str:
        return f"perhaps {', '.join(map(display, self.near))}" if self.near else ""

    @property
    def remedy(self) -> str:
        return "denizen list shows what is"
