"""`denizen sbom`: a bill of materials of a program."""

from __future__ import annotations

import json
import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

_FORMATS = ("cyclonedx", "spdx")


def run(parsed: Parsed, context: Context) -> int:
    """Write the document; return 0."""
    from denizen.app.bundles.closure import ClosureRequest
    from denizen.app.bundles.describe_program import describe_program
    from denizen.app.request import locate
    from denizen.app.resolution.extra_inputs import wished
    from denizen.disk import write_atomically

    program = locate(os.fsencode(parsed.required("PROGRAM")), context.session.environ)
    extra = tuple(wished(context.session, parsed.texts("with"), program))
    request = ClosureRequest(program, extra, parsed.texts("suite"), parsed.flag("offline"))
    document = describe_program(context.session, request, parsed.text("format") or _FORMATS[0])
    target = parsed.text("output")
    if target is None:
        context.output.document(document)
    else:
        write_atomically(os.fsencode(target), (json.dumps(document, indent=2) + "\n").encode())
    return 0


COMMANDS = (
    Command(
        ("sbom",),
        "which packages a program needs, as a bill of materials",
        run,
        positionals=(Positional("PROGRAM", "a program, or the name of a command in PATH"),),
        options=(
            Option(
                ("--format",),
                "cyclonedx (1.6) or spdx (2.3), as JSON",
                metavar="FORMAT",
                choices=_FORMATS,
                default="cyclonedx",
            ),
            Option(("-o", "--output"), "write to FILE instead of stdout", metavar="FILE"),
            Option(("--with",), "also a soname, package or object", metavar="NAME", repeat=True),
            Option(("--suite",), "resolve in SUITE", metavar="SUITE", repeat=True),
            Option(("--offline",), "use only what is there already"),
        ),
        description=(
            "Find the packages that PROGRAM would get in a bundle, and write them down: package URLs, the\n"
            "SHA-256 of each package's file, licences by its copyright file, and the libraries used.\n\n"
            "The same packages give the same bytes: there is no time in the document."
        ),
    ),
)
