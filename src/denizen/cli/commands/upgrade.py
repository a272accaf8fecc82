"""`denizen upgrade`, `outdated` and `search`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.commands.install import PROFILE_OPTIONS, SUITE, profile_from, request_from, show_installed
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_NOT_FOUND, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.profiles.upgrade import OutdatedElement
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.index.package_search import FoundPackage

_SHOWN = 30
_NEWEST = "everything is the newest there is; denizen index update looks for newer"


def _upgrade(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.upgrade import upgrade

    profile = profile_from(parsed, context)
    names = tuple(dict.fromkeys(parsed.texts("NAME")))
    done = upgrade(context.session, profile, names, request_from(parsed, "upgrade"))
    if done is not None and done.change.changes:
        return show_installed(context, profile, done)
    context.show(
        lambda: {"profile": display(profile.place), "generation": profile.current(), "changes": []},
        (_NEWEST,),
    )
    return 0


def _outdated(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.upgrade import outdated

    found = outdated(context.session, profile_from(parsed, context), fetch_policy(parsed, "outdated"))
    rows = [one for one in found if one.version or one.problem]
    context.show(
        lambda: [_document(one) for one in rows], (line for one in rows for line in _lines(one)), _NEWEST
    )
    return 0


def _lines(one: OutdatedElement) -> Iterator[str]:
    name, old = display(one.element.name), display(one.element.version)
    if one.problem:
        yield f"{name} {old}: {one.problem}"
        return
    pinned = "  (pinned)" if one.element.pinned else ""
    yield f"{name} {old}{f' -> {one.version}' if one.version != old else ''}{pinned}"
    for what, before, after in one.moved:
        yield f"  {what} {before or 'new:'}{' -> ' if before and after else ' '}{after or '(gone)'}"


def _document(one: OutdatedElement) -> dict[str, object]:
    return {
        "name": display(one.element.name),
        "version": display(one.element.version),
        "newest": one.version or None,
        "pinned": one.element.pinned,
        "dependencies": [dict(zip(("name", "version", "newest"), row, strict=True)) for row in one.moved],
        "problem": one.problem or None,
    }


def _search(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.search_packages import search_packages

    policy = fetch_policy(parsed, "search")
    found = search_packages(context.session, parsed.texts("WORD"), parsed.texts("suite"), policy)
    if context.json:
        context.output.document([_found_document(one) for one in found])
        return 0
    shown = found if parsed.flag("all") else found[:_SHOWN]
    width = max((len(display(one.name)) for one in shown), default=0)
    for one in shown:
        context.output.line(f"{display(one.name):{min(width, 40)}}  {display(one.summary)}")
    if len(found) > len(shown):
        context.output.say(f"and {len(found) - len(shown)} more; --all shows them")
    if not found:
        context.output.say("no package has all these words in its name or description")
    return 0 if found else EXIT_NOT_FOUND


def _found_document(one: FoundPackage) -> dict[str, object]:
    return {
        "name": display(one.name),
        "version": display(one.version),
        "suite": one.suite,
        "section": display(one.section),
        "summary": display(one.summary),
    }


COMMANDS = (
    Command(
        ("upgrade",),
        "bring what is installed up to date",
        _upgrade,
        (Positional("NAME", "only these; else all that are not pinned", many=True, optional=True),),
        (*PROFILE_OPTIONS, *FETCH_OPTIONS),
        description=(
            "Install the versions that the index has, of packages and of what they depend on, and copy\n"
            "programs again that were installed from a path. The index itself: denizen index update."
        ),
    ),
    Command(
        ("outdated",),
        "what is installed and could be upgraded",
        _outdated,
        options=(*PROFILE_OPTIONS, *FETCH_OPTIONS),
    ),
    Command(
        ("search",),
        "packages by words in names and descriptions",
        _search,
        (Positional("WORD", "all of them", many=True),),
        (SUITE, Option(("--all",), "all that were found"), *FETCH_OPTIONS),
    ),
)
