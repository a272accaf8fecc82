"""`denizen sbom`: a bill of materials of a program, an environment or a profile."""

from __future__ import annotations

import json
import os

from denizen.cli.arguments import output_file
from denizen.cli.closure_options import CLOSURE_OPTIONS, SUBJECT, closure_request
from denizen.cli.command import Command
from denizen.cli.options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

_FORMATS = ("cyclonedx", "spdx")


def run(parsed: Parsed, context: Context) -> int:
    """Write the document; return 0."""
    from denizen.app.exports.bill_of_materials import describe
    from denizen.app.exports.export_subject import SubjectKind, find_subject
    from denizen.output_place import write_output

    session, target = context.session, output_file(parsed)
    subject = find_subject(session, parsed.required("SUBJECT"))
    program = os.fsencode(subject.text) if subject.kind is SubjectKind.PROGRAM else b""
    request = closure_request(session, parsed, program)
    document = describe(session, subject, request, parsed.text("format") or _FORMATS[0])
    if target is None:
        context.output.document(document)
    else:
        write_output(target, (json.dumps(document, indent=2) + "\n").encode())
    return 0


COMMANDS = (
    Command(
        ("sbom",),
        "which packages a program, environment or profile has, as a bill of materials",
        run,
        positionals=(SUBJECT,),
        options=(
            Option(
                ("--format",),
                "cyclonedx (1.6) or spdx (2.3), as JSON",
                metavar="FORMAT",
                choices=_FORMATS,
                default="cyclonedx",
            ),
            Option(("-o", "--output"), "write to FILE instead of stdout", metavar="FILE"),
            *CLOSURE_OPTIONS,
        ),
        description=(
            "Write down the packages that a program would get in a bundle, that an environment has, or that\n"
            "are installed in a profile with all they depend on: package URLs, the SHA-256 of each package\n"
            "file, licences by its copyright file, and of a program the libraries used.\n\n"
            "The same packages give the same bytes: there is no time in the document."
        ),
    ),
)
