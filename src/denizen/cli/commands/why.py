"""`denizen why`: everything known about a program, and the reasons why it does not start here."""

from __future__ import annotations

import os

from denizen.app.session import search_path
from denizen.cli.command import Command
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_NOT_FOUND, DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.app.decisions.decision_maker import DryRun
    from denizen.app.start_outcome import StartOutcome
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.diagnose.program_facts import HostWorld, ProgramFacts
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
        remedy_text: what may have been meant.
    """

    exit_status = EXIT_NOT_FOUND
    name: bytes
    reason: str
    remedy_text: str = ""
    WHAT = "cannot look at {name}"
    WHY = "{reason:text}"
    REMEDY = "{remedy_text:text}"


# The last program's facts, kept until the process ends: to take 60 libraries apart is 8 % of `why --host`,
# and the kernel frees all memory at once.
_facts: list[ProgramFacts] = []


def run(parsed: Parsed, context: Context) -> int:
    """Examine the program and print the report; return 0 if it starts, here or by denizen, else 1."""
    report = _examine(parsed, context.environ)
    dry_run = None if _is_about_host(parsed) else _dry_run(parsed, context, report)
    resolution = _resolve(parsed, context, report, dry_run) if dry_run is not None else None
    outcome = _outcome(parsed, report, resolution)
    if context.json:
        from denizen.diagnose.report import document

        fields = document(report) | {"started_by": outcome.value}
        if resolution is not None:
            from denizen.resolve.resolution_summary import document as resolution_document

            fields["resolution"] = resolution_document(resolution)
            fields["problems"] = [*_listed(fields["problems"]), *_still_open(resolution)]
        if dry_run is not None:
            from denizen.app.resolution.earlier_runs import opened_document
            from denizen.cli.views.strategy_view import strategy_document

            emulator, verdicts = _emulator(report, dry_run), _verdicts(report, dry_run)
            files, variables = _files(report, dry_run, verdicts), dry_run.variables() if verdicts else ()
            fields["strategy"] = strategy_document(
                verdicts, emulator, files, variables, unstarted=_unstarted(report, dry_run)
            )
            fields["opened"] = opened_document(context.session, report.program)
        context.output.document(fields)
    else:
        _show(parsed, context, report, resolution, outcome, dry_run=dry_run)
    return 0 if outcome.value in ("host", "denizen") else 1


def _outcome(parsed: Parsed, report: Report, resolution: Resolution | None) -> StartOutcome:
    from denizen.app.start_outcome import StartOutcome, outcome_of

    found = outcome_of(report, resolution)
    # This denizen does not start programs of another root.
    elsewhere = parsed.text("sysroot") is not None
    return StartOutcome.NOTHING if elsewhere and found is StartOutcome.PERHAPS else found


def _listed(problems: object) -> list[object]:
    return list(problems) if isinstance(problems, (list, tuple)) else []


def _still_open(resolution: Resolution) -> Iterator[dict[str, object]]:
    """Yield the problems that packages do not solve either, as documents."""
    from denizen.resolve.resolution_summary import sentence

    for problem in resolution.problems:
        yield {
            "code": "resolution-incomplete",
            "severity": "error" if problem.lack.stops_start else "warning",
            "message": sentence(problem),
            "hint": "denizen find NAME; --suite NAME; --with NAME",
            "details": [],
        }


def _is_about_host(parsed: Parsed) -> bool:
    return parsed.flag("host") or parsed.text("sysroot") is not None


def _dry_run(parsed: Parsed, context: Context, report: Report) -> DryRun:
    from denizen.app.decisions.decision_maker import DryRun

    return DryRun(context.session, report.program, offline=parsed.flag("offline"))


def _verdicts(report: Report, dry_run: DryRun) -> Sequence[StrategyVerdict]:
    """Return the verdict on each strategy; () for a file that is not a program."""
    if (report.machine is None and not report.chain) or _is_strange(report):
        return ()
    return dry_run.verdicts()


def _unstarted(report: Report, dry_run: DryRun) -> str:
    """Return what a static program cannot start, in words; "" for nothing known."""
    return dry_run.unstarted() if report.stands_alone and report.starts else ""


def _files(report: Report, dry_run: DryRun, verdicts: Sequence[StrategyVerdict]) -> Sequence[LookedForFiles]:
    """Return what is done about files that a static program looks for and this host lacks."""
    return dry_run.files(verdicts) if report.stands_alone else ()


def _is_strange(report: Report) -> bool:
    """Tell a program of an architecture that nothing here runs."""
    return report.has("wrong-machine") and not report.is_emulated


def _emulator(report: Report, dry_run: DryRun) -> str:
    """Return which emulator runs another architecture's program, in words; "" for this machine's."""
    return dry_run.emulator_words() if report.is_emulated else ""


def _show(
    parsed: Parsed,
    context: Context,
    report: Report,
    resolution: Resolution | None,
    outcome: StartOutcome,
    *,
    dry_run: DryRun | None,
) -> None:
    from denizen.cli.arguments import output_file
    from denizen.cli.views.report_view import draw, page, verdict

    drawing, closing = draw(report, everything=parsed.flag("all")), verdict(report, outcome)
    context.output.render(drawing)
    if (target := output_file(parsed, "html")) is not None:
        context.output.save_html(page(drawing, closing), target)
    if resolution is not None:
        from denizen.cli.views.resolution_view import resolution_lines

        context.output.line("")
        context.output.line("with denizen:")
        for line in resolution_lines(resolution):
            context.output.line(line)
    if dry_run is not None:
        from denizen.app.resolution.earlier_runs import opened_lines
        from denizen.cli.views.strategy_view import strategy_lines

        for line in opened_lines(context.session, report.program):
            context.output.line(line)
        emulator, verdicts = _emulator(report, dry_run), _verdicts(report, dry_run)
        files, variables = _files(report, dry_run, verdicts), dry_run.variables() if verdicts else ()
        for line in strategy_lines(
            verdicts, emulator, files, variables, unstarted=_unstarted(report, dry_run)
        ):
            context.output.line(line)
    context.output.render(closing)


def _resolve(parsed: Parsed, context: Context, report: Report, dry_run: DryRun) -> Resolution | None:
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
    policy = FetchPolicy(offline=parsed.flag("offline"))
    path = report.chain[-1] if report.chain else report.program
    try:
        if report.starts and path == report.program and not (parsed.texts("with") or parsed.texts("suite")):
            improved = dry_run.improvement()
            if improved is not None:
                return improved
        extra = wished(context.session, parsed.texts("with"), report.program)
        given = elements_of(library_path_of(context.environ))
        return resolve_path(context.session, path, policy, parsed.texts("suite"), extra, given=given)
    except (BadInput, OSError):
        return None  # the report's problems list files that cannot be read


def _examine(parsed: Parsed, environ: Mapping[str, str]) -> Report:
    from denizen.diagnose.examine import report_on
    from denizen.diagnose.program_facts import gather
    from denizen.disk import DiskView, RootedView
    from denizen.file_placement import place

    name = os.fsencode(parsed.required("PROGRAM"))
    sysroot = parsed.text("sysroot")
    root = os.path.abspath(os.fsencode(sysroot)) if sysroot is not None else b""
    view: FileView = RootedView(root) if root else DiskView()
    path = _locate(view, name, environ, inside=bool(root))
    try:
        placement = place(root + view.realpath(path))
        world = _world(environ, inside=bool(root), thorough=parsed.flag("all"))
        _facts[:] = [gather(view, path, placement, world)]
        return report_on(_facts[0])
    except OSError as problem:
        raise NothingToExamine(name, problem.strerror or str(problem)) from problem


def _locate(view: FileView, name: bytes, environ: Mapping[str, str], *, inside: bool) -> bytes:
    """Return the absolute path for a name: a path, or a command in PATH as a shell would find it."""
    if inside:
        return b"/" + name.lstrip(b"/")
    if b"/" in name or os.path.lexists(name):
        return os.path.abspath(name)
    for directory in search_path(environ):
        candidate = os.path.join(directory, name)
        try:
            view.stat(candidate)
        except OSError:
            continue
        return candidate
    raise NothingToExamine(name, "there is no such file here, and no such command in PATH")


def _world(environ: Mapping[str, str], *, inside: bool, thorough: bool) -> HostWorld:
    from denizen.diagnose.program_facts import HostWorld
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
    return HostWorld(host, environment, search_path(environ), thorough)


# Options for the choice of packages, for commands that start nothing.
CHOOSING = (
    Option(("--suite",), "choose from this suite only (may be repeated)", metavar="NAME", repeat=True),
    Option(
        ("--with",),
        "also choose this soname, this package, or libraries for the objects at this path (may be repeated)",
        metavar="NAME",
        repeat=True,
    ),
    Option(("--offline",), "fetch nothing"),
)

COMMANDS = (
    Command(
        ("why",),
        "everything known about a program, and why it does not start",
        run,
        positionals=(Positional("PROGRAM", "a path, or a command in PATH"),),
        options=(
            Option(("--host",), "look at this host alone: no index, no store"),
            *CHOOSING,
            Option(("--sysroot",), "look at the system whose root is DIR", metavar="DIR"),
            Option(("-a", "--all"), "check every library's symbols; draw repeats and every place looked in"),
            Option(("--html",), "write the drawing to FILE as well", metavar="FILE"),
        ),
        description=(
            "Tell what this machine would do with PROGRAM, and all that is wrong at once: missing\n"
            "interpreter, libraries, versions and symbols, wrong machine, permissions, broken files.\n"
            "PROGRAM is read, never executed.\n\n"
            "Without --host, say too which packages denizen would take for what is missing.\n\n"
            "Exit status 0: it would start, by itself or by the command that the last line names;\n"
            "1: it would not, or (with --host) not by itself; 127: there is none."
        ),
    ),
)
