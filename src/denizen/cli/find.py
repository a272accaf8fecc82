"""`denizen find`: who provides a soname, a command, or a path."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_NOT_FOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.index.entry import Place, Provider
    from denizen.index.locate import Index
    from denizen.sources.fetch import FetchPolicy


def find(parsed: Parsed, context: Context) -> int:
    """Answer for each name."""
    from denizen.cli.indexes import own_architecture

    architecture = parsed.text("arch") or own_architecture()
    suites = parsed.texts("suite")
    names = parsed.texts("NAME")
    rows: list[dict[str, object]] = []
    missing = []
    for name in names:
        found = _answer(parsed, context, name, architecture, suites)
        rows += found
        if not found:
            missing.append(name)
    if context.json:
        context.output.document(rows)
    else:
        _show(context, rows, several=len(names) > 1)
    return EXIT_NOT_FOUND if missing else 0


def _answer(
    parsed: Parsed, context: Context, name: str, architecture: str, suites: tuple[str, ...]
) -> list[dict[str, object]]:
    import os

    from denizen.index.entry import is_library_name

    question = os.fsencode(name)
    if b"/" not in question and is_library_name(question) and not _has_wildcards(question):
        return _libraries(parsed, context, question, architecture, suites)
    return _places(parsed, context, question, architecture, suites)


def _has_wildcards(question: bytes) -> bool:
    return any(character in question for character in (b"*", b"?", b"["))


def _libraries(
    parsed: Parsed, context: Context, soname: bytes, architecture: str, suites: tuple[str, ...]
) -> list[dict[str, object]]:
    """Look where there is an index; where no searched directory has it, in the suites not indexed yet."""
    index = _open(context, architecture, suites)
    found = index.providers(soname)
    if not found or not found[0].kind.is_searched:
        for more in _suites_without_index(context, index, suites):
            index = _made(parsed, context, architecture, (more,), suites, paths=False)
            found = index.providers(soname)
            if found and found[0].kind.is_searched:
                break
    if not found:
        _say_nothing_found(context, index, soname)
    _say_age(context, index)
    return [_library_row(provider) for provider in found]


def _places(
    parsed: Parsed, context: Context, question: bytes, architecture: str, suites: tuple[str, ...]
) -> list[dict[str, object]]:
    """Paths are looked for in the base suite only, unless suites are named: each costs 40 MB to fetch."""
    index = _open(context, architecture, suites)
    if not any(entry.paths for entry in index.entries):
        wanted = suites or _default_suites(context)[:1]
        index = _made(parsed, context, architecture, wanted, suites, paths=True)
    found = _places_in(index, question)
    if not found:
        context.output.say(f"nothing in {_suites_of(index)} has {_shown(question)}")
    _say_age(context, index)
    return [_place_row(_shown(question), place) for place in found]


def _places_in(index: Index, question: bytes) -> list[Place]:
    if b"/" in question:
        return index.paths(question, glob=_has_wildcards(question))
    if _has_wildcards(question):
        return index.files(question)
    return index.commands(question) or index.files(question)


def _open(context: Context, architecture: str, suites: tuple[str, ...]) -> Index:
    from denizen.cli.places import places
    from denizen.index.locate import Index

    return Index(places(context).index, architecture, suites)


def _made(
    parsed: Parsed,
    context: Context,
    architecture: str,
    wanted: tuple[str, ...],
    suites: tuple[str, ...],
    *,
    paths: bool,
) -> Index:
    """The index after the wanted suites' were made."""
    from denizen.cli.indexes import ensure
    from denizen.sources.base import Scope

    scope = Scope.PATHS if paths else Scope.LIBRARIES
    ensure(context, wanted, architecture, scope, _policy(parsed))
    return _open(context, architecture, suites)


def _policy(parsed: Parsed) -> FetchPolicy:
    from denizen.sources.fetch import FetchPolicy

    return FetchPolicy(offline=parsed.flag("offline"))


def _suites_without_index(context: Context, index: Index, suites: tuple[str, ...]) -> list[str]:
    known = {name for entry in index.entries for name in (*entry.asked, entry.suite)}
    return [suite for suite in (suites or _default_suites(context)) if suite not in known]


def _default_suites(context: Context) -> tuple[str, ...]:
    from denizen.cli.indexes import configured_settings

    return tuple(dict.fromkeys(suite for one in configured_settings(context) for suite in one.suites))


def _library_row(provider: Provider) -> dict[str, object]:
    return {
        "name": _shown(provider.soname),
        "package": _shown(provider.package),
        "version": _shown(provider.version),
        "suite": provider.suite,
        "arch": provider.architecture,
        "path": _shown(provider.path),
        "source": provider.source,
        "link": _shown(provider.link) or None,
        "directory": provider.kind.name.lower(),
        "size": provider.size,
        "sha256": _shown(provider.sha256),
    }


def _place_row(name: str, place: Place) -> dict[str, object]:
    return {
        "name": name,
        "package": _shown(place.package),
        "version": _shown(place.version),
        "suite": place.suite,
        "arch": place.architecture,
        "path": _shown(place.path),
        "source": place.source,
    }


def _show(context: Context, rows: list[dict[str, object]], *, several: bool) -> None:
    """Columns that a person reads and awk can cut."""
    columns = ("name", "package", "version", "suite", "arch", "path") if several else (
        "package", "version", "suite", "arch", "path"
    )  # fmt: skip
    widths = {column: max((len(str(row[column])) for row in rows), default=0) for column in columns}
    for row in rows:
        cells = [str(row[column]).ljust(widths[column]) for column in columns]
        context.output.line("  ".join(cells).rstrip())


def _say_nothing_found(context: Context, index: Index, soname: bytes) -> None:
    near = ", ".join(_shown(name) for name in index.near(soname))
    context.output.say(
        f"nobody in {_suites_of(index)} provides {_shown(soname)}" + (f"; near: {near}" if near else "")
    )


def _say_age(context: Context, index: Index) -> None:
    """How old the answer is; said once for all suites, by the one checked longest ago."""
    if not index.entries or context.json:
        return
    import time

    from denizen.cli.words import human_age

    oldest = min(entry.checked for entry in index.entries)
    context.output.say(f"(index of {_suites_of(index)}, checked {human_age(time.time() - oldest)} ago)")


def _suites_of(index: Index) -> str:
    return ", ".join(dict.fromkeys(entry.suite for entry in index.entries)) or "no suite"


def _shown(text: bytes) -> str:
    from denizen.errors import display

    return display(text)


COMMANDS = (
    Command(
        words=("find",),
        summary="who provides a soname, a command, or a path (glob)",
        run=find,
        positionals=(
            Positional("NAME", "libssl.so.3, convert, /usr/include/zlib.h, '/usr/lib/**/*.pc'", many=True),
        ),
        options=(
            Option(("--suite",), "look in this suite only (may be repeated)", metavar="NAME", repeat=True),
            Option(("--arch",), "for this architecture instead of the machine's", metavar="ARCH"),
            Option(("--offline",), "fetch nothing"),
        ),
        description=(
            "The best answer comes first. In a glob, * and ? stay within one directory and ** does not; a "
            "glob without a slash is matched against file names.\n\n"
            "Exit status 127 when one of the names is nobody's."
        ),
    ),
)
