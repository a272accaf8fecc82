"""`denizen gc`, also as `denizen store gc`."""

from __future__ import annotations

import time

from denizen.cli.command import Command
from denizen.cli.options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.store.collection.cache_eviction import TrimmedEntries
    from denizen.store.collection.collector import Collected
    from denizen.store.local import Store


def _gc(parsed: Parsed, context: Context) -> int:
    from denizen.app.bundles.unpacked_bundles import UNUSED_FOR, collect_unpacked
    from denizen.app.supply.store_access import open_store
    from denizen.cli.arguments import parse_age, parse_size
    from denizen.cli.views.store_view import human, shown
    from denizen.cli.views.work_progress import Meter
    from denizen.launch.decisions.expiry import GRACE
    from denizen.store.collection.cache_eviction import TrimmedEntries, trim
    from denizen.store.collection.collector import Limits, collect, plan

    size, age = parsed.text("max-freed"), parsed.text("older-than")
    dry = parsed.flag("dry-run")
    unused_for = parse_age("gc", age) if age else None
    before = int(time.time()) - unused_for if unused_for is not None else None
    limits = Limits(parse_size("gc", size) if size else None, before)
    with open_store(context.session) as store:
        if not dry:
            grace = parse_age("gc", parsed.text("grace") or f"{GRACE}s")
            _forget(context, store, grace, unused_for)
        with Meter(context.output, "deleting", "objects") as meter:
            done = plan(store, limits) if dry else collect(store, limits, meter.advance)
        if not dry:
            _prune_logs(context, store, unused_for)
        directory = shown(store.layout.physical)
    deleted = [f"{directory}/{name}" for name in done.names]
    aged = (
        trim(context.session.paths.disposable, before, keep=dry)
        if before is not None
        else TrimmedEntries(0, 0)
    )
    bundles = collect_unpacked(context.session, UNUSED_FOR if unused_for is None else unused_for, keep=dry)
    if context.json:
        context.output.document(_document(deleted, done, aged, bundles))
        return 0
    if dry or context.output.verbosity > 0:
        context.output.stdout.write("".join([f"{line}\n" for line in deleted]))
    if done.unseen:
        one = "1 process could not be looked into: what it alone uses is not kept"
        many = f"{done.unseen} processes could not be looked into: what they alone use is not kept"
        context.output.say(one if done.unseen == 1 else many)
    words = "would be deleted" if dry else f"deleted, {human(done.freed)} freed"
    if aged.count:
        context.output.say(f"{aged.count} packages and facts {_AGED[dry]} the cache ({human(aged.size)})")
    if bundles.count:
        one = "bundle" if bundles.count == 1 else "bundles"
        going = "would be deleted" if dry else "deleted"
        context.output.say(
            f"{bundles.count} unpacked {one} not started for long {going} ({human(bundles.size)})"
        )
    context.output.say(f"{len(deleted)} objects ({human(done.nar_bytes)}) {words}; {done.alive} are kept")
    return 0


def _document(
    deleted: list[str], done: Collected, aged: TrimmedEntries, bundles: TrimmedEntries
) -> dict[str, object]:
    """Return the result as JSON values."""
    return {
        "deleted": deleted,
        "nar_bytes": done.nar_bytes,
        "freed": done.freed,
        "strays": done.strays,
        "alive": done.alive,
        "unseen_processes": done.unseen,
        "cache": {"entries": aged.count, "freed": aged.size},
        "bundles": {"entries": bundles.count, "freed": bundles.size},
    }


def _forget(context: Context, store: Store, grace: int, unused_for: int | None) -> None:
    """Delete the decisions about programs that are gone, and the environments that were made for them."""
    from denizen.app.profiles.unused_commands import forget_commands
    from denizen.launch.decisions.decision_store import decision_stores
    from denizen.launch.decisions.expiry import expire
    from denizen.launch.fast_path import INSTALLED
    from denizen.store.errors import doing

    decisions = context.session.paths.decisions
    with doing("forget decisions in", decisions):
        apart = [one for one in decision_stores(decisions) if not one.name.startswith(INSTALLED)]
        done = expire(apart, store.layout, grace)
        forget_commands(context.session, store)
    if done.dropped:
        context.output.say(f"{done.dropped} decisions forgotten: their programs are gone")
    if done.running:
        context.output.say(
            f"{done.running} decisions kept: their programs' files are gone, and libraries in use"
        )
    if done.waiting:
        words = "their programs are missing, perhaps on a disk that is not mounted"
        context.output.say(
            f"{done.waiting} decisions kept for {_days(grace)}: {words}; --grace 0d forgets them now"
        )
    _forget_environments(context, store, unused_for, grace)


def _prune_logs(context: Context, store: Store, unused_for: int | None) -> None:
    from denizen.app.builds.build_logs import GRACE, prune_logs

    pruned = prune_logs(store, GRACE if unused_for is None else unused_for)
    if pruned:
        context.output.say(f"{pruned} old logs of builds deleted: nothing of what they made is left")


def _forget_environments(context: Context, store: Store, unused_for: int | None, gone: int) -> None:
    """Delete the environments that denizen made for programs and builds, and that nothing uses any more.

    `gone` is how many seconds a project has to be missing.
    """
    from denizen.app.environments.auto_environment import drop_unused
    from denizen.app.recipes.build_environments import GRACE, drop_unused_build_environments
    from denizen.app.recipes.shell_directories import drop_unused_shells

    unused = drop_unused(context.session, store)
    if unused:
        context.output.say(f"{unused} environments forgotten: no program is started in them any more")
    grace = GRACE if unused_for is None else unused_for
    shells = drop_unused_shells(context.session, store, grace, gone)
    if shells:
        words = f"their projects are gone, or they were not used for {_days(grace)}"
        context.output.say(f"{shells} directories of shells deleted: {words}")
    builds = drop_unused_build_environments(context.session, store, grace)
    if builds:
        words = f"nothing was built in them for {_days(grace)}"
        context.output.say(f"{builds} environments of builds forgotten: {words}")


def _days(seconds: int) -> str:
    return f"{seconds / 86400:g} days" if seconds != 86400 else "a day"


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
        "environments of builds and unpacked bundles likewise (30d if not given)",
        metavar="AGE",
    ),
)
_SUMMARY = "delete what no root, process or operation in progress needs"

COMMANDS = (Command(("gc",), _SUMMARY, _gc, (), _OPTIONS),)
IN_STORE = (Command(("store", "gc"), _SUMMARY, _gc, (), _OPTIONS),)
