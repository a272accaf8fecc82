"""`denizen find`: search for the packages that provide a soname, a command, or a path."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_FAILED, EXIT_NOT_FOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.app.find_packages import PackageAnswer
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.errors import DenizenError
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.provider import PathProvider, Provider


def find(parsed: Parsed, context: Context) -> int:
    """Print the packages for each name; return the exit status."""
    from denizen.app.find_packages import PackageSearch
    from denizen.app.supply.own_architecture import own_architecture

    architecture = parsed.text("arch") or own_architecture()
    search = PackageSearch(
        context.session, architecture, parsed.texts("suite"), offline=parsed.flag("offline")
    )
    names = parsed.texts("NAME")
    rows: list[dict[str, object]] = []
    missing = []
    for name in names:
        answer = search.answer(name)
        _say_answer(context, answer, search.failures)
        found = _rows(answer)
        rows += found
        if not found:
            missing.append(name)
    if context.json:
        context.output.document(rows)
    else:
        _show(context, rows, several=len(names) > 1)
    if missing and search.failures:
        context.output.error(next(iter(search.failures.values())))
        return EXIT_FAILED
    return EXIT_NOT_FOUND if missing else 0


def _say_answer(context: Context, answer: PackageAnswer, failures: Mapping[str, DenizenError]) -> None:
    """Say that nobody has the name, and how old the indexes are that were searched."""
    if not (answer.libraries or answer.places):
        template = "nobody in {} provides" if answer.is_library else "nothing in {} has"
        not_searched = f"; not searched: {', '.join(failures)}" if failures else ""
        near = f"; near: {', '.join(map(_shown, answer.near))}" if answer.near else ""
        context.output.say(_absence(template, answer.searched, answer.question) + not_searched + near)
    _say_age(context, answer.searched)


def _rows(answer: PackageAnswer) -> list[dict[str, object]]:
    """Return a row for each package that has the name."""
    libraries = [_library_row(provider) for provider in answer.libraries]
    return libraries or [_place_row(_shown(answer.question), place) for place in answer.places]


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


def _place_row(name: str, place: PathProvider) -> dict[str, object]:
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
    """Print aligned columns, which awk can split."""
    columns = ("name", "package", "version", "suite", "arch", "path") if several else (
        "package", "version", "suite", "arch", "path"
    )  # fmt: skip
    widths = {column: max((len(str(row[column])) for row in rows), default=0) for column in columns}
    for row in rows:
        cells = [str(row[column]).ljust(widths[column]) for column in columns]
        context.output.line("  ".join(cells).rstrip())


def _say_age(context: Context, entries: Sequence[IndexEntry]) -> None:
    """Report the age of the index: of all suites, the one that was checked longest ago."""
    if not entries or context.json:
        return
    import time

    from denizen.app.formatting import human_age

    oldest = min(entry.checked for entry in entries)
    context.output.say(f"(index of {_suites_of(entries)}, checked {human_age(time.time() - oldest)} ago)")


def _absence(template: str, entries: Sequence[IndexEntry], name: bytes) -> str:
    """Return the sentence that no searched suite has `name`, or that no suite was searched."""
    searched = _suites_of(entries)
    return f"{template.format(searched) if searched else 'no suite was searched for'} {_shown(name)}"


def _suites_of(entries: Sequence[IndexEntry]) -> str:
    return ", ".join(dict.fromkeys(entry.suite for entry in entries))


def _shown(text: bytes) -> str:
    from denizen.errors import display

    return display(text)


COMMANDS = (
    Command(
        words=("find",),
        summary="packages that provide a soname, a command, or a path (glob)",
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
            "Exit status 127 when no package has one of the names, 125 when that is unknown because a suite "
            "could not be searched."
        ),
    ),
)
