"""`denizen find`: search for the packages that provide a soname, a command, or a path."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional
from denizen.errors import EXIT_FAILED, EXIT_NOT_FOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.errors import DenizenError
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.locate import Index
    from denizen.index.provider import PathProvider, Provider


def find(parsed: Parsed, context: Context) -> int:
    """Print the packages for each name; return the exit status."""
    from denizen.app.supply.own_architecture import own_architecture

    search = _Search(parsed, context, parsed.text("arch") or own_architecture())
    names = parsed.texts("NAME")
    rows: list[dict[str, object]] = []
    missing = []
    for name in names:
        found = search.answer(name)
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


class _Search:
    """The questions of one command; `failures` has the error of each suite that could not be searched."""

    def __init__(self, parsed: Parsed, context: Context, architecture: str) -> None:
        self.failures: dict[str, DenizenError] = {}
        self._context = context
        self._architecture = architecture
        self._suites = parsed.texts("suite")
        self._offline = parsed.flag("offline")

    def answer(self, name: str) -> list[dict[str, object]]:
        """Return a row for each package that has the name. Raises HostLacks, StoreDamaged."""
        import os

        from denizen.index.library_paths import is_library_name

        question = os.fsencode(name)
        if b"/" not in question and is_library_name(question) and not _has_wildcards(question):
            return self._libraries(question)
        return self._places(question)

    def _libraries(self, soname: bytes) -> list[dict[str, object]]:
        """Search the existing indexes.

        If no searched directory has the soname, index further suites and search them.
        """
        index = self._open()
        found = index.providers(soname)
        # The sources' settings are read only where an answer is missing: 1 ms.
        more = [] if _is_answered(found) else self._without_index(index)
        for suite in more:
            index = self._made((suite,), paths=False)
            found = index.providers(soname)
            if _is_answered(found):
                break
        if not found:
            near = ", ".join(_shown(name) for name in index.near(soname))
            told = _absence("nobody in {} provides", index.entries, soname)
            self._context.output.say(told + self._not_searched() + (f"; near: {near}" if near else ""))
        _say_age(self._context, index.entries)
        return [_library_row(provider) for provider in found]

    def _places(self, question: bytes) -> list[dict[str, object]]:
        """Search for paths in the base suite, or in the named suites: each costs 40 MB to fetch."""
        index = self._open()
        indexed = [entry for entry in index.entries if entry.paths]
        wanted = tuple([one for one in self._suites if not any(entry.is_called(one) for entry in indexed)])
        if not self._suites and not indexed:
            wanted = _default_suites(self._context)[:1]
        if wanted:
            index = self._made(wanted, paths=True)
        searched = [entry for entry in index.entries if entry.paths]
        found = _places_in(index, question)
        if not found:
            self._context.output.say(_absence("nothing in {} has", searched, question) + self._not_searched())
        _say_age(self._context, searched)
        return [_place_row(_shown(question), place) for place in found]

    def _not_searched(self) -> str:
        return f"; not searched: {', '.join(self.failures)}" if self.failures else ""

    def _without_index(self, index: Index) -> list[str]:
        known = {name for entry in index.entries for name in (*entry.asked, entry.suite)} | set(self.failures)
        wanted = self._suites or _default_suites(self._context)
        return [suite for suite in wanted if suite not in known]

    def _made(self, wanted: tuple[str, ...], *, paths: bool) -> Index:
        """Return the index after the attempt to index the wanted suites."""
        from denizen.app.supply.indexing import ensure
        from denizen.errors import SourceFailed
        from denizen.sources.base import Scope
        from denizen.sources.fetch_policy import FetchPolicy

        scope = Scope.PATHS if paths else Scope.LIBRARIES
        policy = FetchPolicy(offline=self._offline)
        try:
            self.failures |= ensure(self._context.session, wanted, self._architecture, scope, policy)
        except SourceFailed as failure:
            self.failures |= dict.fromkeys(wanted, failure)
        return self._open()

    def _open(self) -> Index:
        from denizen.app.supply.open_index import open_index

        return open_index(self._context.session, self._architecture, self._suites)


def _is_answered(found: Sequence[Provider]) -> bool:
    """Return whether the best provider is in a directory that the dynamic linker searches."""
    return bool(found) and found[0].kind.is_searched


def _has_wildcards(question: bytes) -> bool:
    return any(character in question for character in (b"*", b"?", b"["))


def _places_in(index: Index, question: bytes) -> list[PathProvider]:
    if b"/" in question:
        return index.paths(question, glob=_has_wildcards(question))
    if _has_wildcards(question):
        return index.files(question)
    return index.commands(question) or index.files(question)


def _default_suites(context: Context) -> tuple[str, ...]:
    from denizen.app.supply.configured_sources import configured_settings

    return tuple(dict.fromkeys(suite for one in configured_settings(context.session) for suite in one.suites))


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
