"""`denizen why`: everything known about a program, and the reasons why it does not start here."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.explain_program import Explanation
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.resolve.resolution import Resolution


def run(parsed: Parsed, context: Context) -> int:
    """Examine the program and print the report; return 0 if it starts, here or by denizen, else 1."""
    from denizen.app.explain_program import WhyRequest, explain

    page = _page_place(parsed)
    request = WhyRequest(
        os.fsencode(parsed.required("PROGRAM")),
        parsed.text("sysroot"),
        parsed.flag("host"),
        parsed.flag("all"),
        parsed.flag("offline"),
        parsed.texts("suite"),
        parsed.texts("with"),
    )
    found = explain(context.session, request)
    if page is not None:
        _save_page(parsed, context, found, page)
    if context.json:
        context.output.document(_document(context, found))
    else:
        _show(parsed, context, found)
    return 0 if found.outcome.value in ("host", "denizen") else 1


def _page_place(parsed: Parsed) -> bytes | None:
    """Return the file of --html, where one can be written; imports of it are no business of other starts."""
    if parsed.text("html") is None:
        return None
    from denizen.cli.arguments import output_file

    return output_file(parsed, "html")


def _save_page(parsed: Parsed, context: Context, found: Explanation, target: bytes) -> None:
    from denizen.cli.views.report_view import draw, page, verdict

    drawing, closing = draw(found.report, everything=parsed.flag("all")), verdict(found.report, found.outcome)
    context.output.save_html(page(drawing, closing), target)


def _document(context: Context, found: Explanation) -> dict[str, object]:
    from denizen.diagnose.report import document

    fields = document(found.report) | {"started_by": found.outcome.value}
    if found.resolution is not None:
        from denizen.resolve.resolution_summary import document as resolution_document

        fields["resolution"] = resolution_document(found.resolution)
        fields["problems"] = [*_listed(fields["problems"]), *_still_open(found.resolution)]
    if not found.is_about_host:
        from denizen.app.resolution.earlier_runs import opened_document
        from denizen.cli.views.strategy_view import strategy_document

        by = found.forecast()
        fields["strategy"] = strategy_document(
            by.verdicts, by.emulator, by.files, by.variables, unstarted=by.unstarted
        )
        fields["opened"] = opened_document(context.session, found.report.program)
    return fields


def _listed(problems: object) -> list[object]:
    return list(problems) if isinstance(problems, (list, tuple)) else []


def _still_open(resolution: Resolution) -> Iterator[dict[str, object]]:
    """Yield the problems that packages do not solve either, as documents."""
    from denizen.resolve.resolution_summary import sentence

    for problem in resolution.problems:
        yield {
            "code": "resolution-incomplete",
            "severity": "error" if problem.kind.stops_start else "warning",
            "message": sentence(problem),
            "hint": "denizen find NAME; --suite NAME; --with NAME",
            "details": [],
        }


def _show(parsed: Parsed, context: Context, found: Explanation) -> None:
    from denizen.cli.views.report_view import draw, verdict

    drawing, closing = draw(found.report, everything=parsed.flag("all")), verdict(found.report, found.outcome)
    context.output.render(drawing)
    if found.resolution is not None:
        from denizen.cli.views.resolution_view import resolution_lines

        context.output.line("")
        context.output.line("with denizen:")
        for line in resolution_lines(found.resolution):
            context.output.line(line)
    if not found.is_about_host:
        from denizen.app.resolution.earlier_runs import opened_lines
        from denizen.cli.views.strategy_view import strategy_lines

        for line in opened_lines(context.session, found.report.program):
            context.output.line(line)
        by = found.forecast()
        for line in strategy_lines(by.verdicts, by.emulator, by.files, by.variables, unstarted=by.unstarted):
            context.output.line(line)
    context.output.render(closing)


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
