"""A world that stays as it is and is extended by what it lacks: a host's, or a running process's (pure).

What joins it may ask no version of its libraries that these do not define.
"""

from __future__ import annotations

from denizen.linker import resolve
from denizen.linker.rule_tables import RPATH, RUNPATH
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from denizen.elf import Image
    from denizen.linker import Environment
    from denizen.resolve.cache.cached_view import Remembered
else:
    Protocol = object


class ExtendedWorld(Protocol):
    """The libraries that are there."""

    @property
    def owner(self) -> str:
        """Return the words that stand before the name of one of them: whose it is."""

    def image(self, soname: bytes) -> Image | None:
        """Return the library that any object finds by this name; None where there is none."""


@value
class HostLibraries:
    """The libraries of a host, on which a program starts."""

    view: Remembered
    program: bytes
    start: Environment
    owner: str = "this host's"

    def image(self, soname: bytes) -> Image | None:
        """Return what the program has from its start, or what is found without its run path.

        What the program opens does not search that.
        """
        started = replace(self.start, parse=self.view.parse)
        for one in resolve(self.view, self.program, started).libraries:
            if one.image is not None and soname in one.names:
                return one.image
        found = resolve(self.view, self.program, replace(started, needed=(soname,)))
        anybodys = (one for one in found.libraries if one.rule not in (RPATH, RUNPATH))
        return next((one.image for one in anybodys if one.soname == soname), None)


@value
class ProcessLibraries:
    """The libraries of a running process: those it has loaded, and those that all its objects find.

    Attributes:
        paths: name -> path.
        beyond: where others are found; None: nowhere.
    """

    view: Remembered
    paths: Mapping[bytes, bytes]
    beyond: HostLibraries | None = None
    owner: str = "the program's"

    def image(self, soname: bytes) -> Image | None:
        """Return the one that is loaded or found by this name."""
        if soname in self.paths:
            return self.view.image(self.paths[soname])
        return self.beyond.image(soname) if self.beyond is not None else None
