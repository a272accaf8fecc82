"""Loaded, an object during the loading of a program: glibc's link_map, musl's struct dso (pure).

Mutable on purpose: objects gain names while others are loaded. The closure made of them at the end is
a frozen value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Dynamic, Image
    from denizen.linker.rule_tables import LinkerRule
    from denizen.linker.search_results import Known, SearchAttempt


# A program of more objects than this is hostile; the largest known have a few hundred.
MAX_OBJECTS = 8192


class Loaded:
    """One object of the program being loaded.

    Attributes:
        name: the name it was first requested by (glibc's first l_libname).
        path: the path it was opened by (l_name); None if not found.
        names: every name it is found by.
        image: the parsed file; None for the vDSO and for an object not found.
        dynamic: its dynamic section.
        soname: its DT_SONAME.
        identity: (device, inode), by which a second path to it is recognised.
        rule: the rule that found it.
        loader: the object that requested it first.
        asked_by: the name of the preload list that requested it.
        origin: the value of its `$ORIGIN`.
        needed: its DT_NEEDED, or the environment's replacement.
        tried: the paths tried before it was found.
        rpath_directories, runpath_directories: its search paths, once split.
        listed: it is in the scope.
        places: the rules by which the libraries that it requests are searched, with their directories; once
            one was requested.
        answers: cached results for the names it requests, where the environment has a cache.
    """

    __slots__ = (
        "answers", "asked_by", "dynamic", "identity", "image", "listed", "loader", "name", "names", "needed",
        "origin", "path", "places", "rpath_directories", "rule", "runpath_directories", "soname", "tried",
    )  # fmt: skip

    def __init__(
        self, name: bytes, path: bytes | None, *, rule: LinkerRule | None = None, loader: Loaded | None = None
    ) -> None:
        self.name = name
        self.path = path
        self.names: list[bytes] = [name]
        self.rule = rule
        self.loader = loader
        self.asked_by: bytes | None = None
        self.image: Image | None = None
        self.dynamic: Dynamic | None = None
        self.soname: bytes | None = None
        self.identity: tuple[int, int] | None = None
        self.origin: bytes | None = None
        self.needed: tuple[bytes, ...] = ()
        self.tried: tuple[SearchAttempt, ...] = ()
        self.rpath_directories: tuple[bytes, ...] | None = None
        self.runpath_directories: tuple[bytes, ...] | None = None
        self.listed = False
        self.places: tuple[tuple[LinkerRule, tuple[bytes, ...]], ...] | None = None
        self.answers: Known | None = None

    def describe(self, image: Image) -> None:
        """Set the fields that come from the file's dynamic section. Raises BadInput."""
        self.image = image
        self.dynamic = image.dynamic
        if self.dynamic is not None:
            self.needed = self.dynamic.needed
            self.soname = self.dynamic.soname

    @property
    def missing(self) -> bool:
        """True where no file was found for it (l_faked)."""
        return self.path is None

    @property
    def nodeflib(self) -> bool:
        """True where DF_1_NODEFLIB is set."""
        return self.dynamic is not None and bool(self.dynamic.flags_1 & DF_1_NODEFLIB)


DF_1_NODEFLIB = 0x800
