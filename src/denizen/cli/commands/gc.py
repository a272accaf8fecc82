"""`denizen gc`, also as `denizen store gc`."""

from __future__ import annotations

from denizen.cli.command import Command
from denizen.cli.options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.collect_garbage import CollectedGarbage, GarbageRequest
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _gc(parsed: Parsed, context: Context) -> int:
    from denizen.app.collect_garbage import collect_garbage
    from denizen.cli.views.store_view import shown
    from denizen.cli.views.work_progress import Meter

    request = _request(parsed)
    with Meter(context.output, "deleting", "objects") as meter:
        done = collect_garbage(context.session, request, meter.advance)
    if done.logs:
        context.output.say(f"{done.logs} old logs of builds deleted: nothing of what they made is left")
    directory = shown(done.directory)
    deleted = [f"{directory}/{name}" for name in done.objects.names]
    if context.json:
        context.output.document(_document(deleted, done))
        return 0
    if request.dry or context.output.verbosity > 0:
        context.output.stdout.write("".join([f"{line}\n" for line in deleted]))
    _say(context, done, dry=request.dry)
    return 0


def _request(parsed: Parsed) -> GarbageRequest:
    from denizen.app.collect_garbage import GarbageRequest
    from denizen.app.retention import MISSING_FOR
    from denizen.cli.arguments import parse_age, parse_size

    size, age, grace = parsed.text("max-freed"), parsed.text("older-than"), parsed.text("grace")
    return GarbageRequest(
        max_freed=None if size is None else parse_size("gc", size),
        unused_for=None if age is None else parse_age("gc", age),
        missing_for=MISSING_FOR if grace is None else parse_age("gc", grace),
        dry=parsed.flag("dry-run"),
    )


def _say(context: Context, done: CollectedGarbage, *, dry: bool) -> None:
    from denizen.app.formatting import binary_size

    objects, cache, bundles = done.objects, done.cache, done.bundles
    if objects.unseen:
        one = "1 process could not be looked into: what it alone uses is not kept"
        many = f"{objects.unseen} processes could not be looked into: what they alone use is not kept"
        context.output.say(one if objects.unseen == 1 else many)
    if cache.count:
        context.output.say(
            f"{cache.count} packages and facts {_AGED[dry]} the cache ({binary_size(cache.size)})"
        )
    if bundles.count:
        one = "bundle" if bundles.count == 1 else "bundles"
        going = "would be deleted" if dry else "deleted"
        context.output.say(
            f"{bundles.count} unpacked {one} not started for long {going} ({binary_size(bundles.size)})"
        )
    words = "would be deleted" if dry else f"deleted, {binary_size(objects.freed)} freed"
    count = len(objects.names)
    context.output.say(
        f"{count} objects ({binary_size(objects.nar_bytes)}) {words}; {objects.alive} are kept"
    )


def _document(deleted: list[str], done: CollectedGarbage) -> dict[str, object]:
    """Return the result as JSON values."""
    objects = done.objects
    return {
        "deleted": deleted,
        "nar_bytes": objects.nar_bytes,
        "freed": objects.freed,
        "strays": objects.strays,
        "alive": objects.alive,
        "unseen_processes": objects.unseen,
        "cache": {"entries": done.cache.count, "freed": done.cache.size},
        "bundles": {"entries": done.bundles.count, "freed": done.bundles.size},
    }


_AGED = {False: "unused since then deleted from", True: "unused since then would be deleted from"}
_OPTIONS = (
    Option(("--dry-run",), "only say what would be deleted"),
    Option(
        ("--grace",),
        "forget decisions once their programs have been missing for AGE (7d if not given)",
        metavar="AGE",
    ),
    Option(("--max-freed",), "stop after about SIZE (500M, 10G)", metavar="SIZE"),
    Option(
        ("--older-than",),
        "only what was registered before AGE ago (12h, 30d), and unused since then in the cache; "
        "environments of builds, shells, logs, unpacked bundles and what x brought likewise "
        "(30d if not given)",
        metavar="AGE",
    ),
)
_SUMMARY = "delete what no root, process or operation in progress needs"

COMMANDS = (Command(("gc",), _SUMMARY, _gc, (), _OPTIONS),)
IN_STORE = (Command(("store", "gc"), _SUMMARY, _gc, (), _OPTIONS),)
