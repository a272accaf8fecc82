"""The decision about a program without its strategy: its libraries are this host's, or from packages."""

from __future__ import annotations

from denizen.app.decisions.host_resident import with_resident
from denizen.app.errors import CannotStart, refuse_unsatisfied
from denizen.app.resolution.choose_packages import PackageChooser
from denizen.errors import HostLacks, SourceFailed, display
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.decisions.libraries_at_home import at_home
from denizen.launch.host_view import loader_at
from denizen.launch.resources.command_paths import brings_commands
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.decisions.examine_program import ExaminedProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.fhs_rules import EnvironmentNeeds
    from denizen.resolve.resolution import Resolution


class BaseDecisions(Value):
    """The possible decisions about the libraries of one program.

    Attributes:
        examined: the program with the findings about this host.
        wanted: the options of the start.
        decision_store: where the decision is to be kept.
        wants: files besides libraries that the program needs and this host lacks.
    """

    session: Session
    examined: ExaminedProgram
    wanted: RunRequest
    decision_store: DecisionStore
    wants: EnvironmentNeeds

    def decided(self) -> Decision:
        """Return the decision kept for the program at an earlier path, else one that is made now.

        Raises:
            CannotStart, Unsatisfied: no packages start it.
            SourceFailed, HostLacks, BadInput: a package cannot be fetched, or a file not be read.
        """
        return self._moved() or self._made()

    def packaged(self) -> Decision:
        """Return the decision by which packages bring all libraries. Raises as `decided` does."""
        return self._realised(self._resolution())

    def planned(self) -> Resolution | None:
        """Return the packages that `decided` would bring; None where the host has all that is needed."""
        alone = self.examined.needs_emulator_alone
        if self.examined.is_satisfied or self.examined.program.image is None or alone:
            return None
        return self.improvement() or self._choosing.resolved()

    def improvement(self) -> Resolution | None:
        """Return packages for what a program that starts here lacks at run time: libraries or functions.

        Return None if there are none.

        Raises OSError, SourceFailed, HostLacks.
        """
        examined = self.examined
        if not examined.starts_here or self.wants.reasons:
            return None
        if examined.undefined:
            found = self._choosing.resolved()
            if found.is_complete:
                return found
        if not examined.later:
            return None
        return self._choosing.improved(examined.context.environment, examined.later)

    @property
    def _choosing(self) -> PackageChooser:
        # An environment's packages and the program's libraries are of one release.
        wanted = replace(self.wanted, suites=self.wanted.suites or self.wants.suites)
        return PackageChooser(self.session, self.examined.program, wanted, self.examined.added)

    def _made(self) -> Decision:
        examined = self.examined
        if examined.is_satisfied or examined.program.image is None or examined.needs_emulator_alone:
            return self._host_decision()
        if not examined.starts_here or self.wants.reasons:
            return self.packaged()
        try:
            made = self.improvement()
            return self._realised(made) if made is not None else self._host_decision()
        except (SourceFailed, HostLacks) as problem:
            # The program starts without these libraries. Generation 0 makes the next start try again.
            names = ", ".join(map(display, (*examined.undefined, *examined.later)))
            self.session.reporter.say(f"denizen: it starts without {names}: {problem.what}")
            return replace(self._host_decision(), generation=0)

    def _host_decision(self) -> Decision:
        program = self.examined.program
        # The decision is void when one of these files goes: the host then lacks a library, or an interpreter.
        report = self.examined.report
        own = (
            [row.path for row in report.libraries if row.path is not None] if program.image else report.chain
        )
        objects = tuple(dict.fromkeys(path for path in own if path[:1] == b"/"))
        names = program.starts_others and brings_commands(program.view) and self.wanted.lock is None
        decision = replace(decision_of_host(program), objects=objects, names_commands=names)
        if self.examined.files:
            from denizen.app.static_program_packages import with_files

            files = self.examined.files
            return with_files(self.session, self.wanted, self.decision_store, decision, files)
        return with_resident(self.session, self.examined, self.wanted, self.decision_store, decision)

    def _moved(self) -> Decision | None:
        """Return the kept decision of the same program at an earlier path, adapted.

        Return None if there is none, or if it depends on modules.
        """
        from denizen.app.supply.store_access import made_store
        from denizen.launch.decisions.program_identity import headers_of, identity_of

        program = self.examined.program
        if program.image is None or self.examined.is_satisfied or self.wanted.trees:
            return None
        if self.wanted.installed or self.wanted.around:
            return None  # an upgrade may bring the same program with other libraries, or files around it
        build_id = (program.image.notes.build_id or b"")[:64]
        found = self.decision_store.moved(build_id, len(program.image.buffer), headers_of(program.image))
        if found is None:
            return None
        moved = replace(found, identity=identity_of(program.stat), program=program.path)
        with made_store(self.session) as store:
            self.decision_store.keep(store.layout, moved)
        return moved

    def _resolution(self) -> Resolution:
        from denizen.app.supply.liblzma_setup import bring_decoder
        from denizen.resolve.resolution_summary import sentence

        bring_decoder(self.session)
        resolution = self._choosing.resolved()
        program = self.examined.program.path
        refuse_unsatisfied(program, resolution)
        for problem in resolution.problems:
            self.session.reporter.say(f"denizen: {sentence(problem)}; it may fail when that is called")
        if resolution.interpreter is None:
            raise CannotStart(program, tuple(self.examined.report.problems))
        return resolution

    def _realised(self, resolution: Resolution) -> Decision:
        from denizen.app.decisions.realise_decision import HostStart, RealiseRequest, realised

        program, added = self.examined.program, self.examined.added
        host = None if resolution.interpreter is not None else self.examined.context.environment
        is_emulated = self.examined.report.is_emulated
        asked = RealiseRequest(program, self.decision_store, resolution, added, self.wanted, is_emulated)
        found = realised(self.session, asked, HostStart(self._own_linker(), host))
        for tree in self.wanted.around:
            libraries = at_home(program.view, found, tree, entered=False)
            found = replace(found, libraries=libraries)
        return replace(found, objects=tuple(dict.fromkeys((*found.objects, *self.wanted.around))))

    def _own_linker(self) -> bytes:
        """Return the path of the host's own dynamic linker; the program's interpreter if none is found."""
        program = self.examined.program
        settings = loader_at(program.view, program.interpreter)
        return settings.host_ldso if settings is not None else program.interpreter
