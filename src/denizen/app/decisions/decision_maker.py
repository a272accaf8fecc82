"""The maker of decisions how a program starts, for its first `run` and for children that the loader meets.

`examine_program` looks at the program on this host, `host_or_packages` brings its libraries,
`strategy_choice` asks the table of strategies how it is started.
"""

from __future__ import annotations

import os

from denizen.app.appimage import appimage_of
from denizen.app.decisions.decision_lock import deciding_alone
from denizen.app.decisions.examine_program import examine_program
from denizen.app.decisions.host_or_packages import BaseDecisions
from denizen.app.decisions.strategy_choice import StrategyChooser
from denizen.app.errors import refuse_hopeless
from denizen.app.helper_command import helper_words
from denizen.app.process_limits import many_files
from denizen.app.run_time.budget import report_bad_budget
from denizen.app.session import tools_of
from denizen.app.start_request import no_such_program
from denizen.disk_view import DiskView
from denizen.errors import display
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_store import variant
from denizen.launch.fast_path import decided
from denizen.launch.fhs_rules import EnvironmentNeeds
from denizen.launch.namespace_probe import environment_obstacle
from denizen.launch.program import open_program
from denizen.launch.strategies.base import StrategyName
from denizen.launch.virtualenv import newest
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.appimage import AppImage
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program
    from denizen.launch.resources.static_program_paths import LookedForFiles
    from denizen.launch.strategies.table import StrategyVerdict
    from denizen.resolve.resolution import Resolution


# By what a program with a tree around it may be asked to start: by itself, or by the loader alone.
_IN_TREES = ("", StrategyName.STUB.value, StrategyName.DIRECT.value)
# What shows files of packages at their paths, by mounts or as qemu's sysroot.
_SHOWING = (StrategyName.NAMESPACE, StrategyName.EMULATED)


class Decided(Value):
    """A decision and the directory in which it is kept.

    Attributes:
        unstarted: what a static program cannot start, in words, if that was found out now; "" for nothing.
    """

    directory: bytes
    decision: Decision
    unstarted: str = ""


def decide(
    session: Session,
    program: bytes,
    wanted: RunRequest,
    failed: Decision | None = None,
) -> Decided:
    """Return the decision how to start the file at `program` (an absolute path), by making it if need be.

    A file lock lets one process at a time decide about a program; the others get its result. `failed` is the
    decision by which the program just failed to start, None if none did.

    Raises:
        NoSuchProgram, CannotStart, Unsatisfied, CannotUse: and the errors of resolving and realising.
    """
    decision_store = variant(session.paths.decisions, wanted.variant)
    try:
        opened = open_program(DiskView(), program)
        appimage = appimage_of(program, opened.image)
        if appimage is not None:
            return _decide_appimage(session, appimage, wanted, decision_store)
        with many_files(), deciding_alone(session.paths.state, program):
            known = _known(decision_store, program, wanted)
            if known is not None and known != failed:
                return Decided(decision_store.directory, known)
            if session.reporter.is_verbose:
                session.reporter.say(f"deciding how to start {display(program)}")
            maker = DecisionMaker(session, opened, wanted)
            return _decide_surrounded(session, maker, wanted) if maker.needs_tree() else maker.run()
    except FileNotFoundError as problem:
        if os.path.exists(program):  # it is another file that is not there
            raise
        raise no_such_program(program, problem) from problem


def _decide_surrounded(session: Session, maker: DecisionMaker, wanted: RunRequest) -> Decided:
    """Return the decision about a program that wants an environment where none can be entered.

    It finds what the environment would have where that lies.
    """
    from denizen.app.decisions.surrounded_program import SurroundedPrograms
    from denizen.app.environments.auto_environment import packages_for
    from denizen.app.environments.standing_tree import StandingTrees
    from denizen.app.supply.store_access import made_store

    wants, script = maker.wants, maker.program.script
    with made_store(session) as store, store.working():
        of_own_suite = replace(wanted, suites=wanted.suites or wants.suites)
        trees = StandingTrees(session, store, of_own_suite, maker.architecture)
        around = trees.composed(packages_for(session, wants, wanted))
        if script is None:
            made = maker.with_tree(around.tree).run()
        else:
            programs = SurroundedPrograms(session, store, wanted.followers, decision_about)
            found = programs.interpreted(maker.program, script, around)
            if found is None:
                return maker.run()
            made = maker.kept(found)
        decision_store = variant(session.paths.decisions, wanted.variant)
        decision_store.keep_besides(store.layout, made.decision, (around.object,))
    return made


def decision_about(session: Session, program: bytes, wanted: RunRequest) -> Decision:
    """Return the decision about the program at an absolute path. Raises as `decide`."""
    return decide(session, program, wanted).decision


def _decide_appimage(
    session: Session, appimage: AppImage, wanted: RunRequest, decision_store: DecisionStore
) -> Decided:
    """Return the decision about an AppImage, made from the decision about its AppRun."""
    from denizen.app.appimage import APPRUN, decision_for, request_inside, unpacked
    from denizen.app.supply.store_access import open_store

    tree = unpacked(session, appimage)
    with open_store(session) as store:
        apprun = os.path.join(store.place_of(tree), APPRUN)
        inner = decide(session, apprun, request_inside(wanted))
        found = decision_for(appimage, inner.decision, tools_of(session).enter(), apprun)
        decision_store.write(found, movable=False)
        decision_store.keep_besides(store.layout, found, [tree])
    return Decided(decision_store.directory, found)


def _known(decision_store: DecisionStore, program: bytes, wanted: RunRequest) -> Decision | None:
    """Return the decision that another process made while this one waited for the lock.

    Return None if there is none.
    """
    if wanted.strategy or wanted.excluded:
        return None
    found = decided(decision_store.directory, program, newest(wanted.trees))
    if found is None or found.generation < GENERATION:
        return None
    return found if set(wanted.around) <= set(found.objects) else None


class DecisionMaker:
    """The steps from one program file to its decision: examine it, choose libraries, choose a strategy."""

    def __init__(
        self,
        session: Session,
        program: Program,
        wanted: RunRequest,
        *,
        wants: EnvironmentNeeds | None = None,
    ) -> None:
        """Take `wants` where what the program needs besides libraries is known already."""
        self._session = session
        self._program = program.path
        self._wanted = wanted
        self._examined = examined = examine_program(session, program, wanted)
        # Where the LD_LIBRARY_PATH provides no library, the decision is kept for starts without it too.
        plain = examined.is_satisfied and not examined.needs_library_path
        request = wanted.without_library_path if plain else wanted
        self._decision_store = variant(session.paths.decisions, request.variant)
        self.wants = wants if wants is not None else self._wants()
        self._bases = BaseDecisions(session, examined, wanted, self._decision_store, self.wants)
        self._chooser = StrategyChooser(session, self._bases)

    def _wants(self) -> EnvironmentNeeds:
        """Return what the program needs besides libraries and this host lacks."""
        from denizen.app.environments.own_packages import with_named_packages, with_own_packages

        session, examined, wanted = self._session, self._examined, self._wanted
        wants = with_own_packages(session, examined, wanted, examined.wants())
        return with_named_packages(session, wanted, wants)

    @property
    def program(self) -> Program:
        """Return the program."""
        return self._examined.program

    @property
    def architecture(self) -> str:
        """Return the architecture of its packages by Debian's name."""
        from denizen.app.environments.own_packages import program_architecture

        return program_architecture(self._examined)

    def needs_tree(self) -> bool:
        """Tell whether it wants packages around it, and no environment can be entered here.

        The base set alone is no reason, for commands are brought one by one. Nor is what a script wants whose
        interpreter is here: that is the host's. Probes the kernel.
        """
        wanted, wants = self._wanted, self.wants
        if not wants.packages or wanted.around or wanted.lock is not None:
            return False
        if self._examined.report.stands_alone:
            return False
        if self._examined.report.is_emulated:  # an environment is of this machine's programs
            return wanted.strategy in ("", StrategyName.EMULATED.value)
        if wanted.strategy not in _IN_TREES or (self.program.image is None and not wants.paths):
            return False
        return StrategyName.FHS.value in wanted.excluded or self._is_without_environments()

    def _is_without_environments(self) -> bool:
        return bool(environment_obstacle(tools_of(self._session).enter()))

    def with_tree(self, tree: bytes) -> DecisionMaker:
        """Return the maker of the decision about the program with a tree of packages around it."""
        # Its libraries are of the release that the tree is of.
        wants = EnvironmentNeeds(suites=self.wants.suites)
        return DecisionMaker(self._session, self.program, replace(self._wanted, around=(tree,)), wants=wants)

    def kept(self, found: Decision) -> Decided:
        """Keep a decision about the program that was made elsewhere."""
        self._write(found)
        return Decided(self._decision_store.directory, found)

    def run(self) -> Decided:
        """Return the decision and keep it; a decision for an explicitly requested strategy is not kept."""
        self.refuse_hopeless()
        only = StrategyName(self._wanted.strategy) if self._wanted.strategy else None
        base = self._known()
        if base is None:
            report_bad_budget(self._session)
            standing = self._chooser.standing(self._otherwise()) if only is None else None
            if standing is not None:
                self._write(standing)
                return Decided(self._decision_store.directory, standing)
            base = self._bases.decided()
            # denizen's loader, started as the program's command, reads the decision itself and must find no
            # command in it.
            kept = only if only is StrategyName.DIRECT else None
            found = self._chooser.started(base, kept, self._otherwise())
            # Asked for by its name, the strategy brings no files; another start is to have them.
            if not (only is StrategyName.HOST and self._examined.report.stands_alone):
                self._write(found)
            if kept is only:
                unstarted = self._chooser.unstarted() if only is None else ""
                return Decided(self._decision_store.directory, found, unstarted)
        return Decided(self._decision_store.directory, self._chooser.started(base, only))

    def refuse_hopeless(self) -> None:
        """Raise CannotStart if no strategy could start the program."""
        refuse_hopeless(self._program, self._examined.report)

    def planned(self) -> Resolution | None:
        """Return the packages that would be fetched; None where the host has all that is needed."""
        return self._bases.planned()

    def unstarted(self) -> str:
        """Return what a static program cannot start, in words; "" for nothing known."""
        return self._chooser.unstarted()

    def files(self, verdicts: Sequence[StrategyVerdict]) -> tuple[LookedForFiles, ...]:
        """Return what is done about files that a static program looks for and this host lacks."""
        image, rules = self._examined.program.image, self._examined.files
        if image is None or not rules:
            return ()
        from denizen.launch.resources.static_program_paths import provision

        chosen = next((one.strategy.name for one in verdicts if not one.obstacle), None)
        return provision(image, rules, is_mounted=chosen in _SHOWING)

    def emulator_words(self) -> str:
        """Return which emulator starts another architecture's program; "" for this machine's."""
        from denizen.app.decisions.emulator import emulator_words

        examined = self._examined
        if not examined.report.is_emulated:
            return ""
        return emulator_words(self._session, examined.program, self._wanted)

    def verdicts(self) -> tuple[StrategyVerdict, ...]:
        """Return the verdict on every strategy, with the obstacle to it."""
        return self._chooser.verdicts()

    def improvement(self) -> Resolution | None:
        """Return packages for the libraries that a program that starts here lacks at run time, or None."""
        return self._bases.improvement()

    def _known(self) -> Decision | None:
        """Return the kept decision without its command, if a strategy was requested; else None."""
        known = decided(self._decision_store.directory, self._program) if self._wanted.strategy else None
        return replace(known, command=()) if known is not None and known.generation >= GENERATION else None

    def _otherwise(self) -> tuple[bytes, ...]:
        """Return the words that start the program where the kernel refuses a namespace.

        A command that root installs is every user's, and others cannot decide in root's directories.
        """
        if self._wanted.installed and os.geteuid() == 0 and (mapped := self._chooser.mapped()):
            return mapped
        again = helper_words(self._session, "run", self._wanted.words)
        # A kernel that refuses namespaces refuses environments too.
        return (*again, b"--except", b"namespace", b"--except", b"fhs", b"--")

    def _write(self, found: Decision) -> None:
        """Keep the decision.

        Raises OSError, except for a program that this host's dynamic linker starts: that needs none.
        """
        try:
            self._decision_store.write(found, movable=self._is_movable(found))
        except OSError as problem:
            if not found.host or (found.command and not found.opened):
                raise
            if self._session.reporter.is_verbose:
                self._session.reporter.say(f"denizen: not kept for the next start: {problem}")

    def _is_movable(self, decision: Decision) -> bool:
        """Tell whether the decision stays valid when the program is moved.

        It does where all files that it names are in the store and the program is started from no patched
        copy and with no sysroot.
        """
        store = self._session.paths.store + b"/"
        inside = all(path.startswith(store) for path in decision.objects)
        bound = decision.host or b"as" in decision.command or self._examined.report.is_emulated
        # Elsewhere it does not lie in its package, and gets no environment with that.
        bound = bound or bool(self._bases.wants.suites)
        return inside and not bound
