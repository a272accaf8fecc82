"""The resolution: the libraries chosen for a program, the rule for each, and the problems left (pure)."""

from __future__ import annotations

from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.index.provider import Provider


class ChoiceRule(Enum):
    """The reason for a choice of a provider; the values are used in locks and --json, and do not change."""

    LIBC = "libc"
    COMPANION = "companion"
    SAME_PACKAGE = "same-package"
    ONLY = "only"
    BEST = "best"
    VERSIONS = "versions"
    SYMBOLS = "symbols"
    OTHER_SUITE = "other-suite"
    BESIDE = "beside"
    GIVEN = "given"
    UNPROVEN = "unproven"
    NEWER = "newer-than-beside"
    INSTEAD = "instead-of-beside"

    @property
    def title(self) -> str:
        """The reason in plain words, to follow the name of the package."""
        return _TITLES[self]


_TITLES = {
    ChoiceRule.LIBC: "the C library, with its own dynamic linker",
    ChoiceRule.COMPANION: "belongs to the C library and comes from its package",
    ChoiceRule.SAME_PACKAGE: "from the package of the library that asks for it",
    ChoiceRule.ONLY: "no other package has it",
    ChoiceRule.BEST: "the best of the packages that have it",
    ChoiceRule.VERSIONS: "the first that defines every version asked of it",
    ChoiceRule.SYMBOLS: "defines the most of the symbols asked of it",
    ChoiceRule.OTHER_SUITE: "the base suite does not have it",
    ChoiceRule.BESIDE: "lies beside the program, off its run path",
    ChoiceRule.GIVEN: "LD_LIBRARY_PATH leads to it",
    ChoiceRule.UNPROVEN: "lies beside the program under another file name, and no package has it",
    ChoiceRule.NEWER: "the copy beside the program is too old for another library",
    ChoiceRule.INSTEAD: "the copy beside the program cannot be satisfied",
}


class Pin(Value):
    """One exact package.

    Attributes:
        source, suite, snapshot: where it was found; `snapshot` is the identity of that state of the suite.
        filename, size, sha256: the .deb; size in bytes, hash in hex.
        installed_size: in KiB.
    """

    name: bytes
    version: bytes
    architecture: bytes
    source: str
    suite: str
    snapshot: str
    filename: bytes
    size: int
    sha256: bytes
    installed_size: int = 0


def pin_of(provider: Provider, snapshots: Mapping[str, str]) -> Pin:
    """Return the pin of a provider's package; `snapshots` has the state of each suite."""
    return Pin(
        provider.package,
        provider.version,
        provider.package_architecture,
        provider.source,
        provider.suite,
        snapshots.get(provider.suite, ""),
        provider.filename,
        provider.size,
        provider.sha256,
        provider.installed_size,
    )


class Rejected(Value):
    """A provider that was examined and not chosen."""

    package: bytes
    suite: str
    reason: str


class ProviderChoice(Value):
    """The library that was chosen for a soname.

    Attributes:
        soname: the name by which it is needed.
        package: the .deb's SHA-256, as in `Resolution.packages`; b"" for a file beside the program.
        path: of the file in the package, without a slash before it; for a file beside the program, relative
            to the program's directory.
        rule: the reason for the choice.
        needed_by: the first object that needs it: a path relative to the program's directory, or a soname.
        rejected: providers that were examined and not chosen.
        wish: how a run-time need is known; "" for DT_NEEDED.
    """

    soname: bytes
    package: bytes
    path: bytes
    rule: ChoiceRule
    needed_by: bytes
    rejected: tuple[Rejected, ...] = ()
    wish: str = ""


class ProblemKind(Enum):
    """The kinds of problems that a resolution can leave."""

    LIBRARY = "missing-library"
    VERSION = "missing-version"
    SYMBOL = "unresolved-symbol"
    INTERPRETER = "missing-interpreter"
    UNREADABLE = "unreadable"
    STACK = "executable-stack"

    @property
    def stops_start(self) -> bool:
        """Tell whether the program cannot start with it.

        Otherwise it may fail later, when the symbol is called.
        """
        return self not in (ProblemKind.SYMBOL, ProblemKind.STACK)


class ResolutionProblem(Value):
    """A requirement that nothing satisfies.

    Attributes:
        subject: the soname, the version or the symbol.
        needed_by: the object that needs it.
        detail: the reason, for people.
        near: known names that resemble the subject.
    """

    kind: ProblemKind
    subject: bytes
    needed_by: bytes
    detail: str
    near: tuple[bytes, ...] = ()


class FromHost(Value):
    """A library that must be the host's own, such as a driver's."""

    soname: bytes
    needed_by: bytes
    reason: str


class DlopenName(Value):
    """A library that may be opened at run time and is not part of the resolution.

    Attributes:
        sonames: alternative names, in order of preference.
        origin: how it is known: note, strings, or the name of a rule pack.
        priority: required, recommended or suggested.
    """

    sonames: tuple[bytes, ...]
    origin: str
    priority: str


class LeftOut(Value):
    """A library that is available or wished for, and is not part of the resolution.

    Attributes:
        soname: the name by which it is needed.
        needed_by: the object that needs it: a path relative to the program's directory, a soname, or b"".
        reason: why it was left out, for people.
    """

    soname: bytes
    needed_by: bytes
    reason: str


class Recommended(Value):
    """A package of plugins in the resolution (the .deb's SHA-256), and the package that recommends it."""

    package: bytes
    by: bytes


class Resolution(Value):
    """All choices for a program, or for several objects that lie together.

    Attributes:
        architecture: Debian's name; "" where nothing is needed.
        base: the suite of the C library, "" where none is needed.
        floor: the newest GLIBC_ version that any object needs, as (2, 38); None for none.
        interpreter: the path that the program names, and the chosen file (package hash, path in it).
        packages: sorted by name, version and architecture.
        choices: sorted by soname.
        override: sonames that are loaded before all others, to win over copies beside the program.
        from_host: libraries that must be the host's own.
        wishes: libraries that may be opened at run time and are not included.
        problems: requirements that nothing satisfies.
        left_out: sorted by soname; the program starts without these.
        recommended: packages of a chosen library's plugins.
    """

    architecture: str
    base: str = ""
    floor: tuple[int, ...] | None = None
    interpreter: tuple[bytes, bytes, bytes] | None = None
    packages: tuple[Pin, ...] = ()
    choices: tuple[ProviderChoice, ...] = ()
    override: tuple[bytes, ...] = ()
    from_host: tuple[FromHost, ...] = ()
    wishes: tuple[DlopenName, ...] = ()
    problems: tuple[ResolutionProblem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    recommended: tuple[Recommended, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Tell whether no problem is left."""
        return not self.problems
