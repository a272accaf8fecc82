"""The protocol of the strategies, and the facts about a start that they are given (pure)."""

from __future__ import annotations

from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from denizen.fhs.entry_command import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles
    from denizen.launch.strategies.namespace_mounts import NamespaceMounts
    from denizen.resolve.rule_packs import Resource
else:
    Protocol = object


class StrategyName(Enum):
    """The names of the strategies, as words of --strategy."""

    HOST = "host"
    FHS = "fhs"
    LOADER = "loader"
    NAMESPACE = "namespace"
    STUB = "stub"
    DIRECT = "direct"
    EMULATED = "emulated"


class HostFindings(Value):
    """The findings about this host and a program that precede the choice of a strategy.

    Attributes:
        satisfies: the decision's libraries are the host's.
        starts: `why` finds no error that prevents a start without denizen.
        lacking: the codes of errors that other libraries mend.
        later: the sonames that the program opens at run time and this host lacks.
        follows: the program is a script whose interpreter is here, and may start foreign programs.
        usr: the reasons why the program needs a whole /usr of its own.
        asks_fhs: the strategy fhs was requested by its name.
        unmappable: why no process may map the file where it lies, "" if one may.
        is_foreign: the program is another architecture's, and an emulator can run it.
        looks_for: the rules about files that it looks for and this host lacks, where packages have them.
        may_mount: the strategy namespace is not excluded.
    """

    satisfies: bool
    starts: bool
    lacking: tuple[str, ...] = ()
    later: tuple[bytes, ...] = ()
    follows: bool = False
    usr: tuple[str, ...] = ()
    asks_fhs: bool = False
    unmappable: str = ""
    is_foreign: bool = False
    looks_for: tuple[Resource, ...] = ()
    may_mount: bool = True


class StartSupplier(Protocol):
    """The supplier of packages to a strategy; they are fetched when a method is called."""

    def environment(self) -> Inside:
        """Return the paths that enter the program's environment, which is made if need be.

        Raises DenizenError.
        """

    def packaged(self) -> Decision:
        """Return a decision whose libraries are all from packages. Raises DenizenError."""

    def opened(self, base: Decision, around: Inside) -> bytes:
        """Return the directory for what the program opens in an environment; b"" for none. Raises OSError."""

    def emulator(self, base: Decision) -> bytes:
        """Return the path of an emulator that is kept as long as the decision `base`. Raises DenizenError."""


class ProgramStart(Value):
    """A start for which strategies are considered.

    Attributes:
        program: the program.
        decision_store: where its decision is kept.
        files: denizen's own compiled files, configured for this start.
        mounts: the namespace for this start.
        findings: the findings about the host.
        supplier: fetches packages.
    """

    program: Program
    decision_store: DecisionStore
    files: LoaderFiles
    mounts: NamespaceMounts
    findings: HostFindings
    supplier: StartSupplier


class Strategy(Protocol):
    """A way to start a program.

    Attributes:
        name: its word for --strategy.
        title: its effect in words, which follow the name.
    """

    name: StrategyName
    title: str

    def obstacle(self, start: ProgramStart) -> str:
        """Return the reason against this strategy on this host, "" for none. May probe the kernel."""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:
        """Return `base` with the command that starts the program by this strategy, which has no obstacle.

        The program and its arguments are appended to a command, by `denizen run` and by the loader alike. ()
        means to execute the program, or to let the loader map it. `otherwise` is executed instead where the
        kernel refuses a namespace; () for nothing.

        Raises:
            OSError, HostLacks: a file of the strategy cannot be made, or a tool is not here.
        """


# The loader's word for: map the program of this path yourself, whatever command its decision has.
MAPPED = b"--mapped"


def fallback_words(otherwise: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the words by which `denizen-enter` executes `otherwise` where the kernel refuses a namespace.

    It says so first, unless that is the loader itself, by which the program starts as soon.
    """
    if not otherwise:
        return ()
    operation = b"or" if MAPPED in otherwise[1:2] else b"else"
    return (operation, b"%d" % len(otherwise), *otherwise)
