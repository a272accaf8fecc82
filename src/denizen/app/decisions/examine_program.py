"""The examination of a program on this host: what the host lacks for its start and at run time."""

from __future__ import annotations

from denizen.app.host_linker_environment import host_context
from denizen.app.resolution.extra_inputs import added_to
from denizen.launch.decisions.host_decision import served_here
from denizen.launch.host_view import host_view
from denizen.launch.program import once_read
from denizen.launch.strategies.base import StrategyName
from denizen.linker.rule_tables import LIBRARY_PATH
from denizen.resolve.cache.cached_view import parser_of
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.diagnose.program_facts import HostContext
    from denizen.diagnose.report import Report
    from denizen.fileview import FileView
    from denizen.launch.fhs_rules import EnvironmentNeeds
    from denizen.launch.program import Program
    from denizen.resolve.rule_packs import Resource


class ExaminedProgram(Value):
    """A program with the findings about this host.

    Attributes:
        context: the host as the program sees it, without denizen's loaders.
        report: the problems of a start here.
        added: paths of further objects that the program opens.
        starts_here: the host's libraries start it, and its options do not rule them out.
        later: sonames that it opens at run time and this host lacks; () if it does not start here.
        files: the rules about files that a static program looks for and this host lacks.
    """

    program: Program
    context: HostContext
    report: Report
    added: tuple[bytes, ...]
    starts_here: bool
    later: tuple[bytes, ...]
    files: tuple[Resource, ...] = ()

    @property
    def is_satisfied(self) -> bool:
        """Tell whether the host has everything that the program needs."""
        return self.starts_here and not self.later and not self.undefined

    @property
    def undefined(self) -> tuple[bytes, ...]:
        """Return the functions that the program itself calls and no library here defines.

        When it was linked each of them was defined: a library here is of another release.
        """
        own = [symbol for symbol in self.report.missing_symbols if symbol.needed_by == self.report.program]
        return tuple(symbol.name for symbol in own)

    @property
    def needs_emulator_alone(self) -> bool:
        """Tell whether it is a static program of another architecture."""
        return self.report.is_emulated and self.report.stands_alone

    @property
    def needs_library_path(self) -> bool:
        """Tell whether a library is found by LD_LIBRARY_PATH alone."""
        return any(row.rule == LIBRARY_PATH.name for row in self.report.libraries)

    def wants(self) -> EnvironmentNeeds:
        """Return the files besides libraries that the program needs and this host lacks. Raises OSError."""
        from denizen.launch.fhs_rules import RULES, rules_in, wants_of
        from denizen.packaged_toml import packaged_toml

        rules = rules_in(packaged_toml(RULES))
        program = self.program
        return wants_of(program.view, program.path, program.script, self.context.search_path, rules)


def examine_program(session: Session, program: Program, wanted: RunRequest) -> ExaminedProgram:
    """Return the findings about this host for a program and the options of its start.

    Raises OSError, BadInput.
    """
    host = once_read(program, host_view(program.view, served_here(program.interpreter)))
    added = added_to(program.view, program.path, wanted)
    context = host_context(session.environ, program.interpreter, wanted.library_path)
    report = _look(host, program, context)
    if wanted.library_path and not report.starts:
        # The program gets other libraries anyway: report its faults without the LD_LIBRARY_PATH.
        context = host_context(session.environ, program.interpreter)
        report = _look(host, program, context)
    # A static program takes no libraries from anywhere.
    starts_here = report.starts and (report.stands_alone or not wanted.rules_out_host)
    later: tuple[bytes, ...] = ()
    files: tuple[Resource, ...] = ()
    if starts_here and not report.stands_alone:
        later = _lacking_later(host, program, context, added)
    elif report.stands_alone and wanted.strategy != StrategyName.HOST.value:
        files = _looked_for(program, is_emulated=report.is_emulated)
    return ExaminedProgram(program, context, report, added, starts_here, later, files)


def _looked_for(program: Program, *, is_emulated: bool) -> tuple[Resource, ...]:
    """Return the rules about files that a program looks for and that can be shown or named to it.

    A sysroot of qemu's hides what else the host has in the same directories from listing.
    """
    from denizen.launch.resources.command_paths import brings_commands
    from denizen.launch.resources.static_program_paths import looked_for, variables_read
    from denizen.resolve.rule_packs import load_rules

    image = program.image
    if image is None or image.interpreter is not None:
        return ()
    found = looked_for(program.view, image, load_rules().resources)
    if not found or brings_commands(program.view):
        return found
    return () if is_emulated else tuple(rule for rule in found if variables_read(image, (rule,)))


def _look(host: FileView, program: Program, context: HostContext) -> Report:
    from denizen.diagnose.examine import examine
    from denizen.file_placement import place

    once = replace(context, environment=replace(context.environment, parse=parser_of(host)))
    return examine(host, program.path, place(program.path), once, program)


def _lacking_later(
    host: FileView, program: Program, context: HostContext, added: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    from denizen.launch.run_time_lacks import lacking_later
    from denizen.resolve.rule_packs import load_rules

    if program.image is None or program.image.interpreter is None:
        return ()
    environment = replace(context.environment, parse=parser_of(host))
    return lacking_later(host, program.path, environment, load_rules(), added)
