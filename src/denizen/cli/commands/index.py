"""`denizen index update` and `denizen index status`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option
from denizen.errors import EXIT_FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.index.index_manifest import IndexEntry
    from denizen.index.update_targets import UpdateOutcome


def update(parsed: Parsed, context: Context) -> int:
    """Bring indexes up to date; return the exit status."""
    from denizen.app.supply.index_update import IndexUpdateRequest, update_indexes
    from denizen.sources.base import Scope

    request = IndexUpdateRequest(
        Scope.PATHS if parsed.flag("paths") else Scope.LIBRARIES,
        fetch_policy(parsed, "index update"),
        parsed.texts("suite"),
        parsed.texts("arch"),
        parsed.flag("force"),
    )
    outcomes = update_indexes(context.session, request)
    if context.json:
        context.output.document([_outcome_json(outcome) for outcome in outcomes])
    for outcome in outcomes:
        for note in outcome.notes:
            context.output.say(note)
        if outcome.failure is not None:
            context.output.error(outcome.failure)
        if not context.json:
            context.output.line(_sentence(outcome))
    return EXIT_FAILED if any(outcome.failure for outcome in outcomes) else 0


def _sentence(outcome: UpdateOutcome) -> str:
    target, entry = outcome.target, outcome.entry
    name = f"{target.source.name}/{entry.suite if entry else target.suite} for {target.architecture}"
    if outcome.failure is not None:
        return f"{name}: not updated" + (f", still of {_day(entry.date)}" if entry else "")
    assert entry is not None
    if not outcome.changed:
        return f"{name}: nothing new since {_day(entry.date)}"
    changes = [(outcome.added, "new"), (outcome.altered, "changed"), (outcome.removed, "gone")]
    told = ", ".join(f"{count} {word}" for count, word in changes if count)
    return f"{name}: of {_day(entry.date)}" + (f"; packages: {told}" if told else "")


def _outcome_json(outcome: UpdateOutcome) -> dict[str, object]:
    entry = outcome.entry
    return {
        "source": outcome.target.source.name,
        "asked": outcome.target.suite,
        "suite": entry.suite if entry else None,
        "arch": outcome.target.architecture,
        "snapshot": entry.identity if entry else None,
        "changed": outcome.changed,
        "packages": {"added": outcome.added, "removed": outcome.removed, "changed": outcome.altered},
        "failure": str(outcome.failure) if outcome.failure else None,
        "notes": list(outcome.notes),
    }


def status(parsed: Parsed, context: Context) -> int:
    """Print the existing indexes."""
    del parsed
    import time

    from denizen.app.supply.open_index import believed
    from denizen.index.index_manifest import read_manifest

    directory = context.session.paths.index
    entries = read_manifest(directory)
    now = time.time()
    used = believed(context.session, entries)
    rows = [_status_row(directory, entry, now) | {"used": entry in used} for entry in entries]
    lines = [_status_line(row) for row in rows]
    context.show(lambda: rows, lines or ("there is no index yet; 'denizen index update' makes one",))
    return 0


def _status_row(directory: bytes, entry: IndexEntry, now: float) -> dict[str, object]:
    import os

    from denizen.index.library_index import LibraryIndex

    names = [name.encode() for name in (entry.libraries, entry.paths) if name]
    index = LibraryIndex(os.path.join(directory, entry.libraries.encode()))
    sonames, packages = index.counts()
    return {
        "source": entry.source,
        "asked": list(entry.asked),
        "suite": entry.suite,
        "arch": entry.architecture,
        "snapshot": entry.identity,
        "date": entry.date,
        "checked": entry.checked,
        "age": int(now - entry.checked),
        "packages": packages,
        "libraries": sonames,
        "paths": _path_count(directory, entry),
        "bytes": sum(os.stat(os.path.join(directory, name)).st_size for name in names),
    }


def _path_count(directory: bytes, entry: IndexEntry) -> int | None:
    import os

    from denizen.index.path_index import PathIndex

    return PathIndex(os.path.join(directory, entry.paths.encode())).count() if entry.paths else None


def _status_line(row: dict[str, object]) -> str:
    from denizen.app.formatting import human_age, human_size

    date, age, size, paths, asked = row["date"], row["age"], row["bytes"], row["paths"], row["asked"]
    assert isinstance(asked, list)
    assert isinstance(date, int)
    assert isinstance(age, int)
    assert isinstance(size, int)
    names = ", ".join(str(name) for name in asked if name != row["suite"])
    known = f"{row['packages']} packages, {row['libraries']} libraries"
    known += f", {paths} paths" if paths is not None else ""
    return (
        f"{row['source']}/{row['suite']} {row['arch']}{f' ({names})' if names else ''}: of {_day(date)}, "
        f"checked {human_age(age)} ago, {known}, {human_size(size)}, snapshot {str(row['snapshot'])[:12]}"
        f"{'' if row['used'] else _NOT_USED}"
    )


_NOT_USED = "; not used before 'denizen index update': made by an older denizen, or from another source"


def _day(seconds: int) -> str:
    import time

    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


_SUITE = Option(("--suite",), "this suite only (may be repeated)", metavar="NAME", repeat=True)
_ARCH = Option(("--arch",), "for this architecture (may be repeated)", metavar="ARCH", repeat=True)

COMMANDS = (
    Command(
        words=("index", "update"),
        summary="fetch and verify what sources have, and index it",
        run=update,
        options=(
            _SUITE,
            _ARCH,
            Option(("--paths",), "also every path, for finding commands, headers and data"),
            Option(("--force",), "build anew what has not changed too"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Without --suite, every suite of every source; what did not change is not fetched again. "
            "An update that fails leaves the index as it was."
        ),
    ),
    Command(words=("index", "status"), summary="which indexes there are, how old and how large", run=status),
)
