"""The maker of decisions how a program starts, for its first `run` and for children that the loader meets."""

from __future__ import annotations

import contextlib
import os

from denizen.app.appimage import appimage_of
from denizen.app.choose_packages import Choosing
from denizen.app.errors import MENDED, CannotStart, Unsatisfied, refuse_hopeless
from denizen.app.extra_inputs import added_to
from denizen.app.factories import helper_words, world_of
from denizen.app.process_limits import many_files
from denizen.app.request import NoSuchProgram
from denizen.disk import DiskView
from denizen.errors import HostLacks, SourceFailed, display
from denizen.launch.decisions.decision import GENERATION
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.host_decision import decision_of_host, served_here
from denizen.launch.fast_path import decided, directory_of
from denizen.launch.host_view import host_view, loader_at
from denizen.launch.program import open_program
from denizen.launch.strategies.base import HostFindings, ProgramStart, StrategyName
from denizen.launch.strategies.loader_files import ChildDecisions, LoaderFiles
from denizen.launch.strategies.namespace_mounts import NamespaceMounts
from denizen.launch.strategies.table import CannotUse, all_verdicts, choose
from denizen.launch.virtualenv import newest
from denizen.linker.rule_tables import LIBRARY_PATH
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.appimage import AppImage
    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.diagnose.report import Report
    from denizen.fhs.enter import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.environment_rules import Wants
    from denizen.launch.program import Program
    from denizen.launch.strategies.table import StrategyVerdict
    from denizen.resolve.resolution import Resolution

NOEXEC = "noexec-mount"
_LOCKS = 64


@value
class StartPlan:
    """A planned start, of which nothing is carried out.

    Attributes:
        resolution: the packages that would be fetched; None where the host has all that is needed.
        verdicts: every strategy with the obstacle to it.
    """

    resolution: Resolution | None
    verdicts: tuple[StrategyVerdict, ...]


@value
class Decided:
    """A decision and the directory in which it is kept."""

    directory: bytes
    decision: Decision


def decide(session: Session, program: bytes, wanted: RunRequest, failed: Decision | None = None) -> Decided:
    """Return the decision how to start the file at `program` (an absolute path), by making it if need be.

    A file lock lets one process at a time decide about a program; the others get its result. `failed` is the
    decision by which the program just failed to start, None if none did.

    Raises:
        NoSuchProgram, CannotStart, Unsatisfied, CannotUse: and the errors of resolving and realising.
    """
    shelf = variant(session.paths.decisions, wanted.variant)
    try:
        opened = open_program(DiskView(), program)
        appimage = appimage_of(program, opened.image)
        if appimage is not None:
            return _decide_appimage(session, appimage, wanted, shelf)
        with many_files(), _alone(session.paths.state, program):
            known = _known(shelf, program, wanted)
            if known is not None and known != failed:
                return Decided(shelf.directory, known)
            if session.reporter.is_verbose:
                session.reporter.say(f"deciding how to start {display(program)}")
            deciding = _DecisionMaker(session, opened, wanted, shelf)
            return Decided(deciding.directory, deciding.run())
    except FileNotFoundError as problem:
        raise NoSuchProgram(program, problem.strerror or str(problem)) from problem


def _decide_appimage(
    session: Session, appimage: AppImage, wanted: RunRequest, shelf: DecisionStore
) -> Decided:
    """Return the decision about an AppImage, made from the decision about its AppRun."""
    from denizen.app.appimage import APPRUN, decision_for, request_inside, unpacked
    from denizen.app.factories import tools_of
    from denizen.app.store_access import open_store

    tree = unpacked(session, appimage)
    with open_store(session) as store:
        apprun = os.path.join(store.place_of(tree), APPRUN)
        inner = decide(session, apprun, request_inside(wanted))
        found = decision_for(appimage, inner.decision, tools_of(session).enter(), apprun)
        shelf.write(found, movable=False)
        shelf.keep_besides(store.layout, found, [tree])
    return Decided(shelf.directory, found)


def _known(shelf: DecisionStore, program: bytes, wanted: RunRequest) -> Decision | None:
    """Return the decision that another process made while this one waited for the lock.

    Return None if there is none.
    """
    if wanted.strategy or wanted.excluded:
        return None
    found = decided(shelf.directory, program, newest(wanted.trees))
    return found if found is not None and found.generation >= GENERATION else None


@contextlib.contextmanager
def _alone(state: bytes, program: bytes) -> Iterator[None]:
    """Hold the lock that keeps other processes from deciding about this program."""
    import errno
    import fcntl
    import hashlib

    from denizen.disk import make_directories

    facts = os.stat(program)
    key = b"%d %d" % (facts.st_dev, facts.st_ino)
    number = hashlib.sha256(key).digest()[0] % _LOCKS
    directory = os.path.join(state, b"locks")
    try:
        make_directories(state, 0o711)
        make_directories(directory, 0o700)
        lock = open(os.path.join(directory, b"%02d" % number), "wb")  # noqa: SIM115  # closed below
    except OSError as problem:
        if problem.errno not in (errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT):
            raise
        # In a read-only or full directory no decision can be kept, so no lock is needed; the program's own
        # faults are still to be reported.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _DecisionMaker:
    """The steps from one program file to its decision: examine it, resolve, realise, choose a strategy."""

    def __init__(self, session: Session, opened: Program, wanted: RunRequest, shelf: DecisionStore) -> None:
        self._session = session
        self._opened = opened
        self._program = program = opened.path
        self._wanted = wanted
        self._shelf = shelf
        self._place = session.paths
        self._view = opened.view
        self._image = opened.image
        self._interpreter = opened.interpreter
        self._host = host_view(self._view, served_here(self._interpreter))
        self._world = world_of(session.environ, self._interpreter, wanted.library_path)
        self._added = added_to(self._view, program, wanted)
        self._choosing = Choosing(session, self._view, program, wanted, self._added)
        self._report = self._look()
        if wanted.library_path and not self._report.starts:
            # The program gets other libraries anyway: report its faults without the LD_LIBRARY_PATH.
            self._world = world_of(session.environ, self._interpreter)
            self._report = self._look()
        self._later = self._lacking_later()
        if self._satisfied and not self._needs_library_path:
            # The LD_LIBRARY_PATH provides no library: keep the decision for starts without it too.
            shelf = self._shelf = variant(self._place.decisions, wanted.without_library_path.variant)
        self.directory = shelf.directory
        self._wants = self._wanted_besides()
        followers = wanted.followers
        command = helper_words(session, "decide", followers.words)
        children = ChildDecisions(command, directory_of(self._place.decisions, followers.variant))
        self._files = LoaderFiles(self._opened, shelf.directory, self._place.state, children)
        self._mounts = NamespaceMounts(self._opened, self._files)

    @property
    def _needs_library_path(self) -> bool:
        return any(row.rule == LIBRARY_PATH.name for row in self._report.libraries)

    def run(self) -> Decision:
        """Return the decision and keep it; a decision for an explicitly requested strategy is not kept."""
        refuse_hopeless(self._program, self._report)
        base = self._known()
        if base is None:
            base = self._moved() or self._base()
            again = helper_words(self._session, "run", self._wanted.words)
            # A kernel that refuses namespaces refuses environments too.
            otherwise = (*again, b"--except", b"namespace", b"--except", b"fhs", b"--")
            # denizen's loader, started as the program's command, reads the decision itself and must find no
            # command in it.
            is_mapped = self._wanted.strategy == StrategyName.PROGRAM.value
            found = self._started(base, StrategyName.PROGRAM if is_mapped else None, otherwise)
            self._write(found)
            if is_mapped or not self._wanted.strategy:
                return found
        return self._started(base, StrategyName(self._wanted.strategy))

    def _write(self, found: Decision) -> None:
        """Keep the decision.

        Raises OSError, except for a program that is executed directly: it starts without one.
        """
        try:
            self._shelf.write(found, movable=self._is_movable(found))
        except OSError as problem:
            if found.command or not found.host:
                raise
            if self._session.reporter.is_verbose:
                self._session.reporter.say(f"denizen: not kept for the next start: {problem}")

    def _known(self) -> Decision | None:
        """Return the kept decision without its command, if a strategy was requested; else None."""
        known = decided(self._shelf.directory, self._program) if self._wanted.strategy else None
        return known and replace(known, command=())

    def _look(self) -> Report:
        from denizen.diagnose.examine import examine
        from denizen.host import place

        return examine(self._host, self._program, place(self._program), self._world)

    @property
    def _satisfied(self) -> bool:
        return self._starts_here and not self._later

    @property
    def _starts_here(self) -> bool:
        # A static program takes no libraries from anywhere.
        return self._report.starts and (self._report.stands_alone or not self._wanted.elsewhere)

    def _lacking_later(self) -> tuple[bytes, ...]:
        """Return the sonames that the program opens at run time and the host lacks.

        Return () if it does not start here.
        """
        from denizen.launch.dlopen_missing import lacking_later
        from denizen.resolve.rule_packs import load_rules

        alone = self._report.stands_alone or self._image is None or self._image.interpreter is None
        if not self._starts_here or alone:
            return ()
        return lacking_later(self._host, self._program, self._world.environment, load_rules(), self._added)

    def _base(self) -> Decision:
        """Return the decision without the choice of a strategy."""
        if self._satisfied or self._image is None:
            return self._host_decision()
        if not self._starts_here or self._wants.reasons:
            return self._furnished(self._resolution())
        try:
            made = self.improvement()
            return self._furnished(made) if made is not None else self._host_decision()
        except (SourceFailed, HostLacks) as problem:
            # The program starts without these libraries. Generation 0 makes the next start try again.
            names = ", ".join(map(display, self._later))
            self._session.reporter.say(f"denizen: it starts without {names}: {problem.what}")
            return replace(self._host_decision(), generation=0)

    def improvement(self) -> Resolution | None:
        """Return packages for the libraries that a program that starts here lacks at run time.

        Return None if there is none.
        """
        if not self._starts_here or not self._later or self._wants.reasons:
            return None
        return self._choosing.improved(self._world.environment, self._later)

    def _host_decision(self) -> Decision:
        found = decision_of_host(self._opened)
        # The decision is void when one of these files goes: the host then lacks a library.
        own = (row.path for row in self._report.libraries if row.path is not None and self._image)
        return replace(found, objects=tuple(dict.fromkeys(path for path in own if path[:1] == b"/")))

    def _moved(self) -> Decision | None:
        """Return the kept decision of the same program at an earlier path, adapted.

        Return None if it depends on modules.
        """
        from denizen.app.store_access import made_store
        from denizen.launch.decisions.decision import identity_of
        from denizen.launch.decisions.program_identity import headers_of

        if self._image is None or self._satisfied or self._wanted.trees:
            return None
        build_id = (self._image.notes.build_id or b"")[:64]
        size = len(self._image.buffer)
        found = self._shelf.moved(build_id, size, headers_of(self._image))
        if found is None:
            return None
        moved = replace(found, identity=identity_of(self._view.stat(self._program)), program=self._program)
        with made_store(self._session) as store:
            self._shelf.keep(store.layout, moved)
        return moved

    def _resolution(self) -> Resolution:
        from denizen.app.decoder_setup import bring_decoder
        from denizen.resolve.plan import sentence

        bring_decoder(self._session)
        resolution = self._choosing.resolved()
        open_ones = [p for p in resolution.problems if p.lack.stops_start]
        if open_ones:
            raise Unsatisfied(self._program, tuple(map(sentence, open_ones)))
        for problem in resolution.problems:
            self._session.reporter.say(f"denizen: {sentence(problem)}; it may fail when that is called")
        if resolution.interpreter is None:
            raise CannotStart(self._program, tuple(self._report.problems))
        return resolution

    def _furnished(self, resolution: Resolution) -> Decision:
        from denizen.app.realise_decision import HostStart, RealiseRequest, realised

        host = None if resolution.interpreter is not None else self._world.environment
        asked = RealiseRequest(self._view, self._program, self._shelf, resolution, self._added, self._wanted)
        return realised(self._session, asked, HostStart(self._own_linker(), host))

    def _own_linker(self) -> bytes:
        """Return the path of the host's own dynamic linker; the program's interpreter if none is found."""
        settings = loader_at(self._view, self._interpreter)
        return settings.host_ldso if settings is not None else self._interpreter

    def _is_movable(self, decision: Decision) -> bool:
        """Tell whether the decision stays valid when the program is moved.

        It does where all files that it names are in the store and the program is started from no patched
        copy.
        """
        store = self._place.store + b"/"
        inside = all(path.startswith(store) for path in decision.objects)
        return inside and not decision.host and b"as" not in decision.command

    def plan(self) -> StartPlan:
        """Return what `run` would do. Raises CannotStart."""
        refuse_hopeless(self._program, self._report)
        resolution = None
        if not self._satisfied and self._image is not None:
            resolution = self.improvement() or self._choosing.resolved()
        return StartPlan(resolution, self.verdicts())

    def verdicts(self) -> tuple[StrategyVerdict, ...]:
        """Return the verdict on every strategy, with the obstacle to it."""
        return all_verdicts(self._start(satisfies=self._satisfied or self._image is None))

    def _started(
        self, base: Decision, wanted: StrategyName | None, otherwise: tuple[bytes, ...] = ()
    ) -> Decision:
        """Return the decision with the command of the wanted strategy, or of the first without obstacle."""
        start = self._start(satisfies=base.host)
        choice = choose(start, wanted, frozenset(map(StrategyName, self._wanted.excluded)))
        if choice.strategy is None:
            raise CannotUse(display(self._program), wanted.value if wanted else "", choice.obstacles)
        return choice.strategy.decision(start, base, otherwise)

    def environment(self) -> Inside:
        """Return what enters the program's environment, which is made if need be; for the strategy fhs."""
        from denizen.app.auto_environment import enter_auto_environment

        return enter_auto_environment(self._session, self._wants, self._wanted)

    def packaged(self) -> Decision:
        """Return a decision whose libraries are all from packages; for the strategy fhs."""
        return self._furnished(self._resolution())

    def _wanted_besides(self) -> Wants:
        from denizen.launch.environment_rules import RULES, parse_rules, wants_of

        with open(RULES, "rb") as stream:
            rules = parse_rules(stream.read())
        script = self._opened.script
        return wants_of(self._view, self._program, script, self._world.search_path, rules)

    def _start(self, *, satisfies: bool) -> ProgramStart:
        found = HostFindings(
            satisfies=satisfies,
            starts=self._report.starts,
            lacking=tuple(p.code for p in self._report.problems if p.code in MENDED),
            later=self._later,
            follows=bool(self._report.chain),
            usr=self._wants.reasons,
            asks_fhs=self._wanted.strategy == StrategyName.FHS.value,
            unmappable=next((p.message for p in self._report.problems if p.code == NOEXEC), ""),
        )
        return ProgramStart(self._opened, self._shelf, self._files, self._mounts, found, self)


def plan_for(session: Session, program: bytes, wanted: RunRequest) -> StartPlan:
    """Return the packages and the strategy that `run` would use. Raises NoSuchProgram, CannotStart."""
    shelf = variant(session.paths.decisions, wanted.variant)
    try:
        return _DecisionMaker(session, open_program(DiskView(), program), wanted, shelf).plan()
    except FileNotFoundError as problem:
        raise NoSuchProgram(program, problem.strerror or str(problem)) from problem


def verdicts_for(session: Session, program: bytes) -> tuple[StrategyVerdict, ...]:
    """Return the verdict of `run` on every strategy for the program at the absolute path. Raises OSError."""
    return _as_run(session, program).verdicts()


def improvement_for(session: Session, program: bytes, *, offline: bool) -> Resolution | None:
    """Return packages with libraries that a program (absolute) opens at run time and the host lacks.

    Return None if there is none.

    Raises OSError, SourceFailed, HostLacks.
    """
    return _as_run(session, program, offline=offline).improvement()


def _as_run(session: Session, program: bytes, *, offline: bool = False) -> _DecisionMaker:
    from denizen.app.request import RunRequest, for_program

    wanted = for_program(RunRequest(offline=offline), program)
    opened = open_program(DiskView(), program)
    return _DecisionMaker(session, opened, wanted, variant(session.paths.decisions, wanted.variant))
