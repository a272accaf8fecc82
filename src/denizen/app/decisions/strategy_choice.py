"""The choice of the strategy for a program, and the findings on which it depends."""

from __future__ import annotations

from denizen.app.available_commands import AvailableCommands
from denizen.app.helper_command import helper_words
from denizen.app.start_outcome import MENDED
from denizen.app.temporary_directory import with_temporary
from denizen.app.writable_layer import own_directories
from denizen.disk import same_content
from denizen.disk_view import EnvironmentView
from denizen.errors import display
from denizen.launch.command_links import commands_of
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.dlopen_record import place_with
from denizen.launch.fast_path import directory_of
from denizen.launch.resources.command_paths import brings_commands
from denizen.launch.strategies.base import MAPPED, HostFindings, ProgramStart, StrategyName
from denizen.launch.strategies.direct import DirectStrategy
from denizen.launch.strategies.fhs import FhsStrategy
from denizen.launch.strategies.loader_files import ChildDecisions, LoaderFiles
from denizen.launch.strategies.namespace_mounts import NamespaceMounts
from denizen.launch.strategies.static_children import lacking_linker, unstarted_words
from denizen.launch.strategies.table import CannotUse, all_verdicts, choose
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.decisions.examine_program import ExaminedProgram
    from denizen.app.decisions.host_or_packages import BaseDecisions
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.entry_command import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.fhs_rules import EnvironmentNeeds
    from denizen.launch.program import Program
    from denizen.launch.strategies.table import StrategyVerdict

NOEXEC = "noexec-mount"


def files_for(session: Session, program: Program, wanted: RunRequest, directory: bytes) -> LoaderFiles:
    """Return denizen's compiled files for a program whose decision is kept in `directory`."""
    followers, paths = wanted.followers, session.paths
    # A lock contains all that may come.
    commands = AvailableCommands(session, wanted) if wanted.lock is None else None
    links, has_room = commands_of(directory), brings_commands(program.view)
    children = ChildDecisions(
        helper_words(session, "decide", followers.words),
        directory_of(paths.decisions, followers.variant),
        commands.has if commands is not None else None,
        commands.sees if commands is not None else None,
        (lambda: commands.named(links, wanted.named)) if commands is not None and has_room else None,
        hermetic=directory_of(paths.decisions, replace(followers, hermetic=True, strategy="direct").variant),
        has_room=has_room,
        locked=wanted.lock is not None,
        layered=own_directories(session),
    )
    return LoaderFiles(program, directory, paths.state, children)


class StrategyChooser:
    """The choice of a strategy for one program; the kernel is probed at most once for a namespace."""

    def __init__(self, session: Session, bases: BaseDecisions) -> None:
        self._bases = bases
        self._examined = bases.examined
        program, directory = bases.examined.program, bases.decision_store.directory
        self._files = files_for(session, program, bases.wanted, directory)
        self._cache = session.paths.cache
        self._mounts = NamespaceMounts(program, self._files)

    def started(
        self, base: Decision, only: StrategyName | None, otherwise: tuple[bytes, ...] = ()
    ) -> Decision:
        """Return the decision with the command of the first strategy without an obstacle, or of `only`.

        `otherwise` is executed where the kernel refuses a namespace. Raises CannotUse.
        """
        # No package of them may have come.
        start = self._start(satisfies=base.host, without_files=not base.objects)
        choice = choose(start, only, frozenset(map(StrategyName, self._bases.wanted.excluded)))
        if choice.strategy is None:
            program = display(start.program.path)
            raise CannotUse(program, only.value if only is not None else "", choice.obstacles)
        found = choice.strategy.decision(start, base, otherwise)
        return with_temporary(found, start.program.image, self._cache, self._files)

    def standing(self, otherwise: tuple[bytes, ...]) -> Decision | None:
        """Return the decision that starts, in the program's place, the same file of its environment.

        There the program has its files at the paths that it knows, and beside itself. Return None where no
        environment has the program, or none can be entered.
        """
        bases, program = self._bases, self._bases.examined.program
        start = self._start(satisfies=False)
        is_excluded = StrategyName.FHS.value in bases.wanted.excluded
        if not bases.wants.standing or is_excluded or FhsStrategy().obstacle(start):
            return None
        from denizen.app.environments.fhs_decision import InsideProgram, decision_inside

        around = start.supplier.environment()
        name = _merged(bases.wants.standing)
        place = _real_path(around.tree, name)
        if not place or not same_content(around.tree + place, program.path):
            return None
        standing = InsideProgram(around, place, name, is_renamed=True)
        made = decision_inside(bases.session, bases.wanted, bases.decision_store, standing, otherwise)
        return replace(
            decision_of_host(program), command=made.command, objects=made.objects, machine=made.machine
        )

    def mapped(self) -> tuple[bytes, ...]:
        """Return the words by which the loader itself maps the program; () where it cannot."""
        start = self._start(satisfies=False)
        if start.program.image is None or DirectStrategy().obstacle(start):
            return ()
        return (self._files.plain_loader(), MAPPED, start.program.path)

    def verdicts(self) -> tuple[StrategyVerdict, ...]:
        """Return the verdict on every strategy."""
        is_script = self._examined.program.image is None
        return all_verdicts(self._start(satisfies=self._examined.is_satisfied or is_script))

    def unstarted(self) -> str:
        """Return a sentence about programs that a static one cannot start as it is started; "" for none."""
        linker = lacking_linker(self._examined.program)
        if not linker:
            return ""
        chosen = next((one.strategy.name for one in self.verdicts() if not one.obstacle), None)
        return unstarted_words(linker, self._mounts.obstacle()) if chosen is StrategyName.HOST else ""

    def _start(self, *, satisfies: bool, without_files: bool = False) -> ProgramStart:
        findings = findings_of(self._examined, self._bases.wants, self._bases.wanted, satisfies=satisfies)
        if without_files:
            findings = replace(findings, looks_for=())
        supplier = _PackageSupplier(self._bases)
        program, decision_store = self._examined.program, self._bases.decision_store
        return ProgramStart(program, decision_store, self._files, self._mounts, findings, supplier)


def findings_of(
    examined: ExaminedProgram, wants: EnvironmentNeeds, wanted: RunRequest, *, satisfies: bool
) -> HostFindings:
    """Return the findings about the host for the strategies.

    `satisfies`: the decision's libraries are the host's own.
    """
    report = examined.report
    return HostFindings(
        satisfies=satisfies,
        starts=report.starts,
        lacking=tuple(problem.code for problem in report.problems if problem.code in MENDED),
        later=examined.later,
        follows=bool(report.chain),
        usr=wants.reasons,
        asks_fhs=wanted.strategy == StrategyName.FHS.value,
        unmappable=next((problem.message for problem in report.problems if problem.code == NOEXEC), ""),
        is_foreign=report.is_emulated,
        looks_for=examined.files,
        may_mount=StrategyName.NAMESPACE.value not in wanted.excluded,
    )


def _merged(path: bytes) -> bytes:
    """Return a path as an environment has it, all of whose files are below /usr."""
    return path if path.startswith(b"/usr/") else b"/usr" + path


def _real_path(tree: bytes, path: bytes) -> bytes:
    """Return a path in an environment without its links; b"" for none."""
    try:
        return EnvironmentView(tree).realpath(path)
    except OSError:
        return b""


class _PackageSupplier:
    """The supplier of packages for strategies, by the decisions about the program's libraries."""

    def __init__(self, bases: BaseDecisions) -> None:
        self._bases = bases

    def environment(self) -> Inside:
        from denizen.app.environments.auto_environment import enter_auto_environment

        return enter_auto_environment(self._bases.session, self._bases.wants, self._bases.wanted)

    def packaged(self) -> Decision:
        return self._bases.packaged()

    def opened(self, base: Decision, around: Inside) -> bytes:
        from denizen.app.resolution.opened_links import make_opened_links_inside

        if not base.opened:
            return b""
        bases, program = self._bases, self._bases.examined.program
        # Another directory than the decision's own: what the environment has is found there.
        parts = (base.search, around.tree)
        place = place_with(bases.decision_store.directory, identity_of(program.stat), parts)
        return make_opened_links_inside(bases.session, place, program, bases.wanted, around.tree).directory

    def emulator(self, base: Decision) -> bytes:
        from denizen.app.decisions.emulator import kept_emulator

        bases = self._bases
        return kept_emulator(bases.session, bases.examined.program, bases.wanted, bases.decision_store, base)
