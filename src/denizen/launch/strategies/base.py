"""The protocol that every strategy has, and what a strategy is asked about (pure)."""

from __future__ import annotations

from denizen.value import Enum, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from denizen.fhs.enter import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles
    from denizen.launch.strategies.namespace_mounts import NamespaceMounts
else:
    Protocol = object


class StrategyName(Enum):
    """The words of --strategy."""

    HOST = "host"
    FHS = "fhs"
    LOADER = "loader"
    NAMESPACE = "namespace"
    STUB = "stub"
    PROGRAM = "program"


@value
class HostFindings:
    """What this host is to a program, as found before a strategy is chosen.

    Attributes:
        satisfies: the start that is decided about takes its libraries from the host.
        starts: nothing that `why` finds stops a start without denizen.
        lacking: the codes of those problems of `why` that other libraries mend.
        later: the names that the program opens when it runs, and that this host lacks.
        follows: the program is a script whose interpreter is here, and may start foreign programs.
        usr: the reasons why the program needs a whole /usr of its own.
        asks_fhs: the strategy fhs was asked for by its name.
        unmappable: why no process may map the file where it lies, "" where that can be.
    """

    satisfies: bool
    starts: bool
    lacking: tuple[str, ...] = ()
    later: tuple[bytes, ...] = ()
    follows: bool = False
    usr: tuple[str, ...] = ()
    asks_fhs: bool = False
    unmappable: str = ""


class StartSupplier(Protocol):
    """What a strategy needs that takes packages, which are brought when it is asked."""

    def environment(self) -> Inside:
        """Return what enters the environment that the program wants. Raises DenizenError."""

    def packaged(self) -> Decision:
        """Return the decision by which packages bring all libraries. Raises DenizenError."""


@value
class ProgramStart:
    """A start that a strategy is asked about.

    Attributes:
        program: what is to be started.
        shelf: where its decision is kept.
        files: denizen's own files, as this start needs them.
        mounts: the namespace that this start would be in.
        findings: what the host is to it.
        supplier: brings packages.
    """

    program: Program
    shelf: DecisionStore
    files: LoaderFiles
    mounts: NamespaceMounts
    findings: HostFindings
    supplier: StartSupplier


class Strategy(Protocol):
    """A way to start a program.

    Attributes:
        name: its word for --strategy.
        title: what it does, for people; it follows the name.
    """

    name: StrategyName
    title: str

    def obstacle(self, start: ProgramStart) -> str:
        """Return what stands against this strategy here, "" for nothing. May probe the kernel."""

    def decision(self, start: ProgramStart, base: Decision, otherwise: tuple[bytes, ...]) -> Decision:
        """Return `base` with the command that starts the program this way; no obstacle stands against it.

        The program's own words are appended to a command, by `denizen run` and by the loader run as a
        program alike. () means: execute the program, or let the loader map it. `otherwise` is executed
        instead where the kernel refuses a namespace; () for nothing. Raises OSError, HostLacks.
        """


def fallback_words(otherwise: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the words that tell `denizen-enter` what to execute where the kernel refuses it."""
    return (b"else", b"%d" % len(otherwise), *otherwise) if otherwise else ()
