"""`denizen export`: a program, an environment or a profile as an image, an archive or a package."""

from __future__ import annotations

import os

from denizen.cli.closure_options import CLOSURE_OPTIONS, SUBJECT, closure_request
from denizen.cli.command import Command
from denizen.cli.options import Option, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.exports.export import ExportForm
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def run(parsed: Parsed, context: Context) -> int:
    """Make the export and say what it is; return 0."""
    from denizen.app.exports.export import DEB_VERSION, TAG, ExportRequest, export
    from denizen.app.exports.export_subject import SubjectKind, find_subject
    from denizen.cli.views.export_view import document, lines

    form, target = _form(parsed)
    subject = find_subject(context.session, parsed.required("SUBJECT"))
    program = os.fsencode(subject.text) if subject.kind is SubjectKind.PROGRAM else b""
    tree = parsed.text("tree")
    request = ExportRequest(
        subject,
        closure_request(context.session, parsed, program),
        form,
        os.fsencode(target),
        os.path.realpath(os.fsencode(tree)) if tree is not None else b"",
        parsed.text("tag") or TAG,
        tuple(map(_label, parsed.texts("label"))),
        parsed.text("deb-version") or DEB_VERSION,
    )
    done = export(context.session, request)
    context.report(lambda: document(done), lines(done))
    return 0


def _form(parsed: Parsed) -> tuple[ExportForm, str]:
    """Return the one form that was asked for, and the target. Raises UsageError."""
    from denizen.app.exports.export import ExportForm

    found = [(form, target) for form in ExportForm if (target := parsed.text(form.value)) is not None]
    if len(found) != 1:
        raise UsageError("export", "say one of --oci, --tar, --squashfs, --deb")
    return found[0]


def _label(word: str) -> tuple[str, str]:
    key, equals, text = word.partition("=")
    if not key or not equals:
        raise UsageError("export", f"--label wants NAME=TEXT, not {word!r}")
    return key, text


COMMANDS = (
    Command(
        ("export",),
        "a program, environment or profile as a container image, an archive or a package",
        run,
        positionals=(SUBJECT,),
        options=(
            Option(("--oci",), "an OCI image layout, in a directory or in a .tar file", metavar="PATH"),
            Option(("--tar",), "the root file system; .gz, .xz or .zst compress it", metavar="FILE"),
            Option(("--squashfs",), "the root file system as a SquashFS image", metavar="FILE"),
            Option(("--deb",), "a Debian package of a program, which depends on nothing", metavar="FILE"),
            Option(("--tree",), "all of DIR, which a program is in, goes with it", metavar="DIR"),
            Option(("--tag",), "the tag of an image; else latest", metavar="TAG"),
            Option(("--label",), "a label of an image", metavar="NAME=TEXT", repeat=True),
            Option(("--deb-version",), "the version of a Debian package; else 1.0", metavar="VERSION"),
            *CLOSURE_OPTIONS,
        ),
        description=(
            "Write a root file system with SUBJECT in it. A program is below /opt, with the packages of its\n"
            "libraries where these belong and nothing else; an environment is what fhs enter shows, without\n"
            "the host's files; a profile is its packages, all they depend on and a shell.\n\n"
            "An image has a layer for each large package, which images share, and starts the program. The\n"
            "same packages and program give the same digest: there is no time in it. Nothing is left of an\n"
            "export that fails."
        ),
    ),
)
