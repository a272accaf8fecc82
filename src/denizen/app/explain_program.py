"""`why`: a program examined, the packages chosen for it, and the strategies that would start it.

Nothing is executed, and for this host alone no index or store is read.
"""

from __future__ import annotations

import os

from denizen.app.session import search_path
from denizen.errors import EXIT_NOT_FOUND, DenizenError, shell_word
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.app.decisions.dry_run import DryRun
    from denizen.app.session import Session
    from denizen.app.start_outcome import StartOutcome
    from denizen.diagnose.program_facts import HostContext, ProgramFacts
    from denizen.diagnose.report import Report
    from denizen.fileview import FileView
    from denizen.launch.resources.static_program_paths import LookedForFiles
    from denizen.launch.strategies.table import StrategyVerdict
    from denizen.resolve.resolution import Resolution


class NothingToExamine(DenizenError):
    """The error that there is no file to examine.

    Attributes:
        name: as it was given.
        reason: the system's message.
        near: the path of the program that may have been meant; b"" for none.
    """

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str
    near: bytes = b""
    WHAT = "cannot look at {name}"
    WHY = "{reason:text}"

    @property
    def remedy(self) -> str:
        """Return the same command with the name that may have been meant."""
        return f"denizen why {shell_word(self.near)}" if self.near else ""


def nothing_to_examine(name: bytes, path: bytes, problem: OSError) -> NothingToExamine:
    """Return the error for a program, given as `name`, whose file at `path` could not be opened."""
    from denizen.app.no_program import near_program, why_missing

    return NothingToExamine(name, why_missing(path, problem), near_program(path))


# The last program's facts, kept until the process ends: to take 60 libraries apart is 8 % of `why --host`,
# and the kernel frees all memory at once.
_facts: list[ProgramFacts] = []


class WhyRequest(Value):
    """A request to explain a program.

    Attributes:
        name: a path, or a command in PATH.
        sysroot: the root of the system that is looked at; None for this one.
        host_alone: look at this host alone: no index, no store.
        thorough: check every library's symbols.
        offline: fetch nothing.
        suites: choose from these suites only.
        extra: what is chosen besides: sonames, packages, paths.
    """

    name: bytes
    sysroot: str | None = None
    host_alone: bool = False
    thorough: bool = False
    offline: bool = False
    suites: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


class StrategyForecast(Value):
    """The strategies that would start a program, and what it would be given.

    Attributes:
        verdicts: of each strategy; () for a file that is not a program.
        emulator: which one runs another architecture's program, in words; "" for this machine's.
        files: what is done about files that a static program looks for and this host lacks.
        variables: as NAME=VALUE, which it would be given.
        unstarted: what a static program cannot start, in words; "" for nothing known.
    """

    verdicts: Sequence[StrategyVerdict]
    emulator: str
    files: Sequence[LookedForFiles]
    variables: tuple[bytes, ...]
    unstarted: str


class Explanation:
    """Everything known about a program.

    Attributes:
        report: of the program and this host.
        resolution: the packages for what is missing; None where none were asked for, or for no ELF file.
        outcome: how it would start.
    """

    def __init__(
        self, report: Report, resolution: Resolution | None, outcome: StartOutcome, dry_run: DryRun | None
    ) -> None:
        self.report, self.resolution, self.outcome, self._dry_run = report, resolution, outcome, dry_run

    @property
    def is_about_host(self) -> bool:
        """Tell whether this host alone was looked at."""
        return self._dry_run is None

    def forecast(self) -> StrategyForecast:
        """Return how denizen would start the program. Raises what the probes of strategies raise."""
        report, dry_run = self.report, self._dry_run
        assert dry_run is not None
        emulator = dry_run.emulator_words() if report.is_emulated else ""
        unknown = report.machine is None and not report.chain
        nothing = unknown or report.is_no_program or _is_strange(report)
        verdicts = () if nothing else dry_run.verdicts()
        files = dry_run.files(verdicts) if report.stands_alone else ()
        variables = dry_run.variables() if verdicts else ()
        unstarted = dry_run.unstarted() if report.stands_alone and report.starts else ""
        return StrategyForecast(verdicts, emulator, files, variables, unstarted)


def explain(session: Session, request: WhyRequest) -> Explanation:
    """Return the explanation of a program.

    Raises:
        NothingToExamine: there is no such file.
        SourceFailed, HostLacks: an index cannot be made.
    """
    from denizen.app.start_outcome import StartOutcome, outcome_of

    report = _examine(request, session.environ)
    dry_run = resolution = None
    if not request.host_alone and request.sysroot is None:
        from denizen.app.decisions.dry_run import DryRun

        dry_run = DryRun(session, report.program, offline=request.offline)
        resolution = _resolve(session, request, report, dry_run)
    outcome = outcome_of(report, resolution)
    # This denizen does not start programs of another root.
    if request.sysroot is not None and outcome is StartOutcome.PERHAPS:
        outcome = StartOutcome.NOTHING
    return Explanation(report, resolution, outcome, dry_run)


def _is_strange(report: Report) -> bool:
    """Tell a program of an architecture that nothing here runs."""
    return report.has("wrong-machine") and not report.is_emulated


def _resolve(session: Session, request: WhyRequest, report: Report, dry_run: DryRun) -> Resolution | None:
    """Return the resolution of the program that the kernel would start.

    Return None if it is no readable ELF file.
    """
    from denizen.app.library_path import elements_of, library_path_of
    from denizen.app.resolution.extra_inputs import wished
    from denizen.app.resolution.resolve_program import resolve_path
    from denizen.errors import BadInput
    from denizen.sources.fetch_policy import FetchPolicy

    if report.machine is None or _is_strange(report) or (report.is_emulated and report.stands_alone):
        return None
    policy = FetchPolicy(offline=request.offline)
    path = report.chain[-1] if report.chain else report.program
    try:
        if report.starts and path == report.program and not (request.extra or request.suites):
            improved = dry_run.improvement()
            if improved is not None:
                return improved
        extra = wished(session, request.extra, report.program)
        given = elements_of(library_path_of(session.environ))
        return resolve_path(session, path, policy, request.suites, extra, given=given)
    except (BadInput, OSError):
        return None  # the report's problems list files that cannot be read


def _examine(request: WhyRequest, environ: Mapping[str, str]) -> Report:
    from denizen.diagnose.examine import report_on
    from denizen.diagnose.program_facts import gather
    from denizen.disk_view import DiskView, RootedView
    from denizen.file_placement import place

    name, sysroot = request.name, request.sysroot
    root = os.path.abspath(os.fsencode(sysroot)) if sysroot is not None else b""
    view: FileView = RootedView(root) if root else DiskView()
    path = _locate(view, name, environ, inside=bool(root))
    try:
        placement = place(root + view.realpath(path))
        context = _context(environ, inside=bool(root), thorough=request.thorough)
        _facts[:] = [gather(view, path, placement, context)]
        return report_on(_facts[0])
    except OSError as problem:
        raise nothing_to_examine(name, root + path, problem) from problem


def _locate(view: FileView, name: bytes, environ: Mapping[str, str], *, inside: bool) -> bytes:
    """Return the absolute path for a name: a path, or a command in PATH as a shell would find it."""
    if inside:
        return b"/" + name.lstrip(b"/")
    if b"/" in name or os.path.lexists(name):
        return os.path.abspath(name)
    from denizen.fileview import FileKind

    for directory in search_path(environ):
        candidate = os.path.join(directory, name)
        try:
            kind = view.stat(candidate).kind
        except OSError:
            continue
        if kind is not FileKind.DIRECTORY:
            return candidate
    raise NothingToExamine(name, "there is no such file here, and no such command in PATH")


def _context(environ: Mapping[str, str], *, inside: bool, thorough: bool) -> HostContext:
    from denizen.diagnose.program_facts import HostContext
    from denizen.host import gather_host, working_directory
    from denizen.linker.hwcaps import cpu_of
    from denizen.linker.process_environment import Environment

    host = gather_host()
    preload, path = environ.get("LD_PRELOAD"), environ.get("LD_LIBRARY_PATH")
    environment = Environment(
        # This process's variables do not apply to another root.
        library_path=os.fsencode(path) if path is not None and not inside else None,
        preload=os.fsencode(preload) if preload is not None and not inside else None,
        cpu=cpu_of(host.machine, host.cpu_vendor, host.cpu_flags),
        kernel=host.kernel,
        directory=b"/" if inside else working_directory(),
    )
    return HostContext(host, environment, search_path(environ), thorough)
