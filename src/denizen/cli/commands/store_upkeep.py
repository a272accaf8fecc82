"""`denizen store`: maintenance of the store, and transport of its objects."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import EXIT_FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.store.upkeep.verification import StoreProblem

# Characters of a file with a key.
_MAX_KEY = 4096


def _roots(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.store_view import shown
    from denizen.store.collection.collector import explain, why_alive

    with open_store(context.session) as store:
        if parsed.texts("PATH"):
            wanted = [object_named(store, text) for text in parsed.texts("PATH")]
            chains = [row for path in wanted for row in why_alive(store, path)]
        else:
            chains = [(root, (path,)) for root, path in explain(store)]
        rows = [
            {
                "kind": root.kind,
                "place": shown(root.place),
                "chain": [shown(store.place_of(path)) for path in chain],
            }
            for root, chain in chains
        ]
    context.show(
        lambda: rows, (f"{row['kind']:8} {row['place']} -> {' -> '.join(row['chain'])}" for row in rows)
    )
    return 0


def _verify(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.work_progress import Meter
    from denizen.store.upkeep.verification import verify

    with open_store(context.session) as store:
        with Meter(context.output, "verifying", "objects", store.database.count()) as meter:
            found = list(verify(store, contents=parsed.flag("contents"), told=meter.advance))
        if parsed.flag("repair"):
            from denizen.app.supply.repair_objects import repaired

            copies = parsed.text("from")
            found = repaired(context.session, store, found, os.fsencode(copies) if copies else None)
    context.show(
        lambda: [_document(problem) for problem in found],
        map(_words, found),
        "nothing is wrong with the store",
    )
    return 0 if all(problem.repaired for problem in found) else EXIT_FAILED


def _document(problem: StoreProblem) -> dict[str, object]:
    return {
        "object": problem.path.base if problem.path else None,
        "fault": problem.fault.name.lower(),
        "message": problem.fault.value,
        "detail": problem.detail,
        "repaired": problem.repaired,
    }


def _words(problem: StoreProblem) -> str:
    name = problem.path.base if problem.path else "the store"
    detail = f" ({problem.detail})" if problem.detail else ""
    return f"{name}: {problem.fault.value}{detail}{': repaired' if problem.repaired else ''}"


def _rebuild(_: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.work_progress import Meter
    from denizen.store.errors import doing
    from denizen.store.locks import store_lock
    from denizen.store.upkeep.rebuild import rebuild

    layout = open_store(context.session).layout
    with (
        doing("rebuild the database of", layout.physical),
        store_lock(layout),
        Meter(context.output, "reading sidecars", "objects") as meter,
    ):
        done = rebuild(layout, meter.advance)
    left_out = [{"object": path.base, "reason": reason} for path, reason in done.left_out]
    if context.json:
        context.output.document({"registered": done.registered, "left_out": left_out})
        return 0
    for row in left_out:
        context.output.line(f"{row['object']}: left out: {row['reason']}")
    context.output.say(f"{done.registered} objects registered, {len(left_out)} left out")
    return 0


def _create(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.create_store import PADDED_LENGTH, create_store, padded_place
    from denizen.cli.views.store_view import shown

    paths, directory, length = context.session.paths, parsed.text("DIR"), _length(parsed.text("length"))
    place = paths.usual_store if directory is None else os.fsencode(os.path.abspath(directory))
    if parsed.flag("padded") or length is not None:
        above = os.path.dirname(place) if directory is None else place
        # Below the usual place's name, which becomes a link to it.
        place = padded_place(os.path.realpath(above), PADDED_LENGTH if length is None else length)
    made = shown(create_store(context.session, place))
    context.show(lambda: {"path": made}, (made,))
    return 0


def _length(text: str | None) -> int | None:
    """Return the number of bytes that --length gives; None where it was not given. Raises UsageError."""
    if text is None:
        return None
    from denizen.formats.decimal_number import parse_number

    length = parse_number(text)
    if length is None:
        raise UsageError("store create", f"--length wants a number of bytes, not {text!r}")
    return length


def _move(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import open_store
    from denizen.cli.views.store_view import shown
    from denizen.cli.views.work_progress import Meter
    from denizen.store.upkeep.move import move

    destination, usual = (
        os.fsencode(os.path.abspath(parsed.required("NEWDIR"))),
        context.session.paths.usual_store,
    )
    with open_store(context.session) as store, Meter(context.output, "copying", "objects") as meter:
        moved = move(store, destination, meter.advance, usual)
    if usual != destination:
        context.output.say(f"{shown(usual)} leads there now: commands find the store as before")
    for link in moved.astray:
        context.output.say(f"{shown(link)} still leads to the old place and could not be changed")
    place = shown(moved.store.layout.physical)
    context.show(lambda: {"path": place, "astray": list(map(shown, moved.astray))}, (place,))
    return 0


def _optimise(parsed: Parsed, context: Context) -> int:
    from denizen.app.formatting import binary_size
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.work_progress import Meter
    from denizen.store.upkeep.optimise import NOTHING, optimise

    saved = NOTHING
    with open_store(context.session) as store:
        chosen = [object_named(store, text) for text in parsed.texts("PATH")] or store.database.paths()
        with Meter(context.output, "optimising", "objects", len(chosen)) as meter:
            for path in chosen:
                saved += optimise(store, path)
                meter.advance(1)
    context.report(
        lambda: {"files": saved.files, "freed": saved.freed},
        (f"{saved.files} files are links now, {binary_size(saved.freed)} freed",),
    )
    return 0


def _export(parsed: Parsed, context: Context) -> int:
    from denizen.app.supply.store_access import object_named, open_store
    from denizen.cli.views.store_view import shown
    from denizen.cli.views.work_progress import Meter
    from denizen.disk import open_regular
    from denizen.formats.signature import parse_secret
    from denizen.store.binary_cache import export
    from denizen.store.errors import doing

    key_file = parsed.text("key")
    key = None
    if key_file:
        with (
            doing("read the key", os.fsencode(key_file)),
            open(key_file, encoding="utf-8", errors="replace", opener=open_regular) as stream,
        ):
            key = parse_secret(stream.read(_MAX_KEY))
    destination = os.fsencode(os.path.abspath(parsed.required("DIR")))
    with open_store(context.session) as store, store.working() as work:
        closure = store.closure([object_named(store, text) for text in parsed.texts("PATH")])
        work.need(closure)
        infos = [store.info(path) for path in closure]
        size = sum([info.nar_size for info in infos])
        with Meter(context.output, "exporting", "bytes", size) as meter:
            written = [export(store, info, destination, key, meter.advance) for info in infos]
    context.show(lambda: list(map(shown, written)), map(shown, written))
    return 0


def _import(parsed: Parsed, context: Context) -> int:
    from denizen.app.relocate.import_relocated import import_relocated
    from denizen.app.supply.store_access import made_store
    from denizen.cli.views.store_view import shown
    from denizen.cli.views.work_progress import Meter
    from denizen.formats.signature import parse_public

    keys = [parse_public(text) for text in parsed.texts("trust")]
    source = os.fsencode(os.path.abspath(parsed.required("DIR")))
    with made_store(context.session) as store:
        with Meter(context.output, "reading archives twice", "bytes") as meter:
            done = import_relocated(store, source, parsed.texts("PATH"), keys, meter.advance)
        places = [shown(store.place_of(info.path)) for info in done.added]
        context.show(lambda: places, places)
        if done.store_dir is not None and done.added:
            context.output.say(f"denizen: relocated from {shown(done.store_dir)}")
        for path, count in done.left:
            context.output.say(f"denizen: {path}: {count} mentions of it are left, which do not fit")
    return 0


COMMANDS = (
    Command(
        ("store", "roots"),
        "why objects are kept: all roots, or the chains that keep PATH",
        _roots,
        (Positional("PATH", "objects to explain", many=True, optional=True),),
    ),
    Command(
        ("store", "verify"),
        "whether the store is as its database says",
        _verify,
        (),
        (
            Option(("--contents",), "read and hash every file"),
            Option(("--repair",), "put right what can be"),
            Option(("--from",), "a binary cache directory to take good copies from", metavar="DIR"),
        ),
    ),
    Command(("store", "rebuild-db"), "make the database again from the objects' sidecars", _rebuild),
    Command(
        ("store", "create"),
        "make a store at a place of your choice, for the commands that follow",
        _create,
        (Positional("DIR", "the store's directory, or with --padded the one it is made in", optional=True),),
        (
            Option(("--padded",), "under a name so long that objects of other such stores fit"),
            Option(("--length",), "of the padded store's path, in bytes; else 128", metavar="N"),
        ),
    ),
    Command(
        ("store", "move"),
        "move the whole store; everything in it still runs",
        _move,
        (Positional("NEWDIR", "where to; must not exist"),),
    ),
    Command(
        ("store", "optimise"),
        "hard-link identical files",
        _optimise,
        (Positional("PATH", "objects; all if none is named", many=True, optional=True),),
    ),
    Command(
        ("store", "export"),
        "write closures as a Nix binary cache",
        _export,
        (Positional("DIR", "the cache's directory"), Positional("PATH", "objects", many=True)),
        (
            Option(
                ("--key",),
                "sign with this key, as nix-store --generate-binary-cache-key makes",
                metavar="FILE",
            ),
        ),
    ),
    Command(
        ("store", "import"),
        "copy closures in from a Nix binary cache",
        _import,
        (Positional("DIR", "the cache's directory"), Positional("PATH", "objects", many=True)),
        (
            Option(
                ("--trust",),
                "a public key, NAME:BASE64, that may have signed them",
                metavar="KEY",
                repeat=True,
            ),
        ),
    ),
)
