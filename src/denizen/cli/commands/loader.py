"""`denizen loader`: installation of the C loader as a host's interpreter, and links that start programs."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional
from denizen.errors import display
from denizen.host import machine_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.launch.loader.installation import Installed


def _install(parsed: Parsed, context: Context) -> int:
    from denizen.app.install_loader import install_loader

    path = install_loader(
        context.session, _prefix(parsed), parsed.texts("decisions"), nix_ld=parsed.flag("nix-ld")
    )
    context.report(lambda: {"path": display(path)}, (f"installed {display(path)}",))
    return 0


def _link(parsed: Parsed, context: Context) -> int:
    """Make a link that starts a program without Python, after deciding about the program."""
    from denizen.app.link_program import link_program

    program = os.path.abspath(os.fsencode(parsed.required("PROGRAM")))
    link = os.path.abspath(os.fsencode(parsed.required("LINK")))
    link_program(context.session, program, link, offline=parsed.flag("offline"))
    context.report(
        lambda: {"link": display(link), "program": display(program)},
        (f"{display(link)} starts {display(program)}",),
    )
    return 0


def _uninstall(parsed: Parsed, context: Context) -> int:
    from denizen.launch.loader.installation import uninstall

    path = uninstall(_prefix(parsed), machine_name())
    context.report(lambda: {"removed": display(path)}, (f"removed {display(path)}",))
    return 0


def _status(parsed: Parsed, context: Context) -> int:
    from denizen.launch.loader.installation import installed

    found = installed(_prefix(parsed), machine_name())
    directories = found.settings.directories if found.settings else ()
    if context.json:
        context.output.document(
            {
                "path": os.fsdecode(found.path),
                "state": _state(found),
                "decisions": [os.fsdecode(directory) for directory in directories],
            }
        )
        return 0
    context.output.line(f"{display(found.path)}: {_state(found)}")
    for directory in directories:
        context.output.line(f"  decisions in {display(directory)}")
    return 0


def _state(found: Installed) -> str:
    if found.settings is not None:
        return "denizen's loader"
    return "the host's own dynamic linker" if found.exists else "nothing is there"


def _prefix(parsed: Parsed) -> bytes:
    return os.path.abspath(os.fsencode(parsed.text("prefix") or "/"))


_PREFIX = Option(("--prefix",), "the root of the system meant, instead of /", metavar="DIR")

COMMANDS = (
    Command(
        ("loader", "install"),
        "put the loader where foreign programs look for their interpreter; never over a real one",
        _install,
        options=(
            _PREFIX,
            Option(
                ("--decisions",),
                "where it finds decisions (%u: the user's number), instead of yours",
                metavar="DIR",
                repeat=True,
            ),
            Option(
                ("--nix-ld",),
                "let NIX_LD and NIX_LD_LIBRARY_PATH serve programs without a decision, but never root's",
            ),
        ),
        description="Installed again, it gets the new settings.",
    ),
    Command(
        ("loader", "link"),
        "make a link that starts a program by the loader, without Python",
        _link,
        positionals=(
            Positional("PROGRAM", "its path"),
            Positional("LINK", "where the link is to be, such as ~/.local/bin/NAME"),
        ),
        options=(Option(("--offline",), "fetch nothing"),),
        description=(
            "The program is decided about as `denizen run` would. The link is known by its own name: one\n"
            "program for each name."
        ),
    ),
    Command(("loader", "uninstall"), "take it away again", _uninstall, options=(_PREFIX,)),
    Command(("loader", "status"), "what is at the interpreter's path", _status, options=(_PREFIX,)),
)
