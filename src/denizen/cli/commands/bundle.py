"""`denizen bundle`: a program with all that it needs as one file, or as a directory."""

from __future__ import annotations

import os

from denizen.cli.arguments import output_file
from denizen.cli.closure_options import CLOSURE_OPTIONS, closure_request
from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.appimage_bundle import AppFiles
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


# Of an AppImage's section .upd_info, with its NUL.
_UPDATE_ROOM = 1024


def run(parsed: Parsed, context: Context) -> int:
    """Make the bundle and say what it is; return 0."""
    from denizen.app.bundles.bundle_program import bundle_program
    from denizen.app.bundles.bundle_request import BundleRequest
    from denizen.app.start_request import locate_existing
    from denizen.cli.views.bundle_view import document, lines

    program = locate_existing(os.fsencode(parsed.required("PROGRAM")), context.session.environ)
    output, directory, tree = parsed.text("output"), parsed.text("dir"), parsed.text("tree")
    if output is not None and directory is not None:
        raise UsageError("bundle", "--output and --dir exclude each other")
    if directory is not None and parsed.flag("app"):
        raise UsageError("bundle", "--app makes one file, not a directory")
    suffix = ".AppImage" if parsed.flag("app") else ".bundle"
    target = output_file(parsed) or os.fsencode(directory or os.fsdecode(os.path.basename(program)) + suffix)
    closure = closure_request(context.session, parsed, program)
    whole = os.path.realpath(os.fsencode(tree)) if tree is not None else b""
    level = _level(parsed.text("level"))
    arguments = tuple(os.fsencode(_absolute(word)) for word in parsed.texts("argument"))
    request = BundleRequest(
        closure,
        target,
        directory=directory is not None,
        tree=whole,
        level=level,
        arguments=arguments,
        app=_app_files(parsed),
    )
    done = bundle_program(context.session, request)
    context.report(lambda: document(done), lines(done))
    return 0


def _app_files(parsed: Parsed) -> AppFiles | None:
    """Return the AppImage's own files; None where a plain bundle is wanted. Raises UsageError."""
    from denizen.app.bundles.appimage_bundle import read_app_files

    desktop, icon, update = (parsed.text(name) for name in ("desktop", "icon", "update-information"))
    if not parsed.flag("app"):
        if desktop or icon or update:
            raise UsageError("bundle", "--desktop, --icon and --update-information are for --app")
        return None
    if len(os.fsencode(update or "")) >= _UPDATE_ROOM:
        raise UsageError("bundle", f"--update-information has less than {_UPDATE_ROOM} bytes")
    try:
        return read_app_files(desktop, icon, update)
    except OSError as problem:
        raise UsageError("bundle", f"{problem.filename}: {problem.strerror}") from problem


def _absolute(word: str) -> str:
    """Return the word; a file's path, which has a slash, as an absolute one."""
    return os.path.realpath(word) if "/" in word and os.path.exists(word) else word


def _level(text: str | None) -> int | None:
    """Return the level of compression that was asked for. Raises UsageError."""
    if text is None:
        return None
    from denizen.formats.decimal_number import parse_number

    level = parse_number(text)
    if level is None or not 1 <= level <= 22:
        raise UsageError("bundle", f"--level wants a number from 1 to 22, not {text!r}")
    return level


COMMANDS = (
    Command(
        ("bundle",),
        "a program with all that it needs as one file that runs anywhere",
        run,
        positionals=(Positional("PROGRAM", "a program, or the name of a command in PATH"),),
        options=(
            Option(("-o", "--output"), "write to FILE; else to PROGRAM.bundle", metavar="FILE"),
            Option(("--dir",), "make a directory, which can be moved, instead of one file", metavar="DIR"),
            Option(("--app",), "make an AppImage, which tools for these read; else to PROGRAM.AppImage"),
            Option(("--desktop",), "the desktop entry of an AppImage", metavar="FILE"),
            Option(("--icon",), "the icon of an AppImage, SVG or PNG", metavar="FILE"),
            Option(
                ("--update-information",),
                "where an AppImage's newer versions are, for updaters, as zsync|ADDRESS",
                metavar="TEXT",
            ),
            Option(("--tree",), "all of DIR, which PROGRAM is in, goes with it", metavar="DIR"),
            Option(
                ("--argument",),
                "an argument that PROGRAM gets before those of a start; a path in --tree is found there",
                metavar="WORD",
                repeat=True,
            ),
            Option(
                ("--level",),
                "compress by Zstandard: 1 is fast, 22 is small; else what is smallest",
                metavar="N",
            ),
            *CLOSURE_OPTIONS,
        ),
        description=(
            "Make one file that starts PROGRAM on any Linux of its architecture: without denizen, Python, a\n"
            "shell, FUSE or root. All libraries are from packages, as with denizen run --hermetic; those\n"
            "that lie beside PROGRAM go with it, its other files with --tree.\n\n"
            "The first start unpacks it into XDG_CACHE_HOME, ~/.cache, TMPDIR, /var/tmp, /tmp or /dev/shm,\n"
            "whichever can be written and programs be executed from; where none is, into memory at each\n"
            "start.\n\n"
            "With --app it is an AppImage of type 2 too: a SquashFS image with AppRun, a desktop entry and\n"
            "an icon, which other tools read; it needs no FUSE.\n\n"
            "The bundle is tested before it is said to be made: its dynamic linker loads everything in an\n"
            "empty root. The same packages and program give the same bytes."
        ),
    ),
)
