"""An object while its program is being put together: glibc's link_map, musl's struct dso (pure).

Mutable on purpose: a list of them grows, objects learn names, and the closure made of them at the end is
a value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Dynamic, Image
    from denizen.linker.rule_tables import LinkerRule
    from denizen.linker.search_results import Known, SearchAttempt


class Loaded:
    """One object of the program being put together.

    Attributes:
        name: the name it was first asked by (glibc's first l_libname).
        path: where it was opened (l_name), None: not found.
        names: every name it answers to.
        image: what it says about itself; None for the vDSO and for what was not found.
        identity: (device, inode), by which a second path to it is recognised.
        rule: the rule that found it.
        loader: the object that asked for it first.
        origin: what its `$ORIGIN` stands for.
        needed: DT_NEEDED as it is, or as the environment replaces it.
        answers: what was found for names it asks for, where the environment keeps that.
    """

    __slots__ = (
        "answers", "asked_by", "dynamic", "identity", "image", "listed", "loader", "name", "names", "needed",
        "origin", "path", "rpath_directories", "rule", "runpath_directories", "soname", "tried",
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
        self.answers: Known | None = None

    def describe(self, image: Image) -> None:
        """Take over what the file says. Raises BadInput."""
        self.image = image
        self.dynamic = image.dynamic
        if self.dynamic is not None:
            self.needed = self.dynamic.needed
            self.soname = self.dynamic.soname

    @property
    def missing(self) -> bool:
        """Nothing was found for it (l_faked)."""
        return self.path is None

    @property
    def nodeflib(self) -> bool:
        """DF_1_NODEFLIB."""
        return self.dynamic is not None and bool(self.dynamic.flags_1 & DF_1_NODEFLIB)


DF_1_NODEFLIB = 0x800
