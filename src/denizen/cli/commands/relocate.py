"""`denizen relocate`: let a tree work at another path."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def run(parsed: Parsed, context: Context) -> int:
    """Relocate the tree; return 1 if mentions of the old path are left."""
    from denizen.app.relocate.relocate_tree import TreeRequest, relocate_tree
    from denizen.cli.views.relocate_view import document, lines
    from denizen.cli.views.work_progress import Meter
    from denizen.relocate.prefix import Prefix

    old, new = parsed.text("from"), parsed.text("to")
    if old is None or new is None:
        raise UsageError("relocate", "say --from PATH and --to PATH")
    prefix = Prefix(_path(old), _path(new), _path(parsed.text("link") or ""))
    tree = os.fsencode(os.path.abspath(parsed.required("TREE")))
    only_plan = parsed.flag("plan")
    with Meter(context.output, "relocating", "files") as meter:
        done = relocate_tree(TreeRequest(tree, prefix, parsed.flag("relative"), only_plan), meter.advance)
    verbose = context.session.reporter.is_verbose or only_plan
    context.show(
        lambda: document(done, written=not only_plan), lines(done, written=not only_plan, verbose=verbose)
    )
    return 0 if done.is_complete else 1


def _path(text: str) -> bytes:
    return os.fsencode(text.rstrip("/") or text)


COMMANDS = (
    Command(
        ("relocate",),
        "let a tree work at another path",
        run,
        positionals=(Positional("TREE", "a directory or a file, changed in place"),),
        options=(
            Option(("--from",), "the path that its files mention", metavar="PATH"),
            Option(("--to",), "the path where it is, or will be", metavar="PATH"),
            Option(("--relative",), "let links and run paths be relative, so that it can be moved again"),
            Option(
                ("--link",),
                "a short link to the new path, for places where that does not fit",
                metavar="PATH",
            ),
            Option(("--plan",), "say what would change, and write nothing"),
        ),
        description=(
            "Replace the path by which the files of TREE find each other. For each file the way is chosen\n"
            "and told: text and compiled Python take a path of any length; programs and libraries too, for\n"
            "their interpreter, run path and the libraries they need; other places keep their width, filled\n"
            "up with slashes. What cannot be changed is listed. Changed back, TREE has the bytes that it\n"
            "had before.\n\n"
            "Exit status 0: no mention of the old path is left; 1: some are, and are listed."
        ),
    ),
)
