"""Libraries that stay and are extended by missing ones: a host's, or a running process's (pure).

A library that is added may need no version of the existing libraries that these do not define.
"""

from __future__ import annotations

from denizen.linker import resolve
from denizen.linker.rule_tables import RPATH, RUNPATH
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from denizen.elf import Image
    from denizen.linker import Environment
    from denizen.resolve.cache.cached_view import CachedView
else:
    Protocol = object


class ExistingLibraries(Protocol):
    """The existing libraries."""

    @property
    def owner(self) -> str:
        """The words that precede the name of one of the libraries and tell whose it is."""

    def image(self, soname: bytes) -> Image | None:
        """Return the library that any object finds by this name; None for none."""


class HostLibraries:
    """The libraries of a host, on which a program starts."""

    owner = "this host's"

    def __init__(self, view: CachedView, program: bytes, start: Environment) -> None:
        """Of what `program` has from its start in this environment, and of what all objects find."""
        self._view = view
        self._program = program
        self._start = replace(start, parse=view.parse)
        self._loaded: dict[bytes, Image] | None = None

    def image(self, soname: bytes) -> Image | None:
        """Return what the program has from its start, or what is found without its run path.

        What the program opens does not search that.
        """
        if self._loaded is None:
            started = resolve(self._view, self._program, self._start).libraries
            self._loaded = {name: one.image for one in started if one.image for name in one.names}
        if soname in self._loaded:
            return self._loaded[soname]
        found = resolve(self._view, self._program, replace(self._start, needed=(soname,)))
        anybodys = (one for one in found.libraries if one.rule not in (RPATH, RUNPATH))
        return next((one.image for one in anybodys if one.soname == soname), None)


class ProcessLibraries(Value):
    """The libraries of a running process: those it has loaded, and those that all its objects find.

    Attributes:
        paths: name -> path.
        beyond: the libraries of the host, if the process finds them; else None.
    """

    view: CachedView
    paths: Mapping[bytes, bytes]
    beyond: HostLibraries | None = None
    owner: str = "the program's"

    def image(self, soname: bytes) -> Image | None:
        """Return the library that is loaded or found by this name; None for none."""
        if soname in self.paths:
            return self.view.image(self.paths[soname])
        return self.beyond.image(soname) if self.beyond is not None else None
