"""`denizen store why-depends` and `diff-closures`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

# The exit status where there is nothing to tell, as grep's.
_NONE = 1


def _why_depends(parsed: Parsed, context: Context) -> int:
    """Print the chain that leads from one object to another, and what mentions the next one in each."""
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.closure_view import chain_document, chain_lines
    from denizen.store.reference_offsets import dependency_chain

    with open_store(context.session) as store:
        ends = [object_named(store, parsed.required(name)) for name in ("OBJECT", "DEPENDENCY")]
        chain = dependency_chain(store, *ends)
        lines = chain_lines(store, chain, everything=parsed.flag("all")) if chain else ()
        context.show(lambda: chain_document(store, chain), lines, f"{ends[0]} does not depend on {ends[1]}")
    return 0 if chain else _NONE


def _diff_closures(parsed: Parsed, context: Context) -> int:
    """Print what came, went and changed between two closures."""
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.closure_view import change_line, changes_document
    from denizen.store.closure_difference import closure_difference

    with open_store(context.session) as store:
        closures = [
            [store.info(path) for path in store.closure([object_named(store, parsed.required(name))])]
            for name in ("BEFORE", "AFTER")
        ]
    changes = closure_difference(*closures)
    context.show(lambda: changes_document(changes), map(change_line, changes))
    return 0


COMMANDS = (
    Command(
        ("store", "why-depends"),
        "the files by which an object depends on another",
        _why_depends,
        positionals=(
            Positional("OBJECT", "an object, or anything in it or leading to it"),
            Positional("DEPENDENCY", "an object that its closure has"),
        ),
        options=(Option(("--all",), "every mention, not the first few of each object"),),
        description="Print a shortest chain of references, and for each object of it the files that mention\n"
        "the next one, with the offset. The exit status is 1 where there is no dependency.",
    ),
    Command(
        ("store", "diff-closures"),
        "packages that came, went or changed between two closures",
        _diff_closures,
        positionals=(
            Positional("BEFORE", "an object, or anything in it or leading to it"),
            Positional("AFTER", "another"),
        ),
    ),
)
