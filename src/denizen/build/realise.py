"""Realise derivations: build the outputs that are not valid, inputs first and in parallel.

1. Every derivation needed is read and checked against its own name, and those whose outputs are valid
   already are left out, with their inputs (`plan`).
2. The plan's derivations are built as their inputs become valid, `jobs` at a time. Each build holds
   the lock of its output, and checks again whether it is valid once it has the lock: of two
   processes that want the same output, one builds it.

All objects involved are kept from collection meanwhile. After the first failure no new build is begun,
running builds are stopped, and the failure is raised, unless the others are to go on; completed outputs stay
valid.
"""

from __future__ import annotations

import contextlib

from denizen.build import builtin_unpack_deb
from denizen.build.build_plan import inputs_of, outputs_found, plan_for, resolved_with
from denizen.build.build_task import Build
from denizen.build.builders import build
from denizen.build.derivation import input_paths, name_of
from denizen.errors import DenizenError
from denizen.store.local import Store
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor
    from contextlib import AbstractContextManager
    from typing import Protocol

    from denizen.build.batch_commit import Registrar
    from denizen.build.build_plan import Outputs, RealisePlan
    from denizen.build.build_task import Opener
    from denizen.build.builders import Builder
    from denizen.build.derivation import Sealed
    from denizen.build.runner.build_settings import BuildSettings
    from denizen.formats.storepath import StorePath
    from denizen.process_pool import Helpers
    from denizen.store.object_staging import Work
    from denizen.store.staged_tree import Adoption
else:
    Protocol = object


class Listener(Protocol):
    """The interface by which progress of builds is reported; called from several threads."""

    def started(self, name: str) -> None:
        """Called when the build of the derivation `name` begins."""

    def finished(self, name: str) -> None:
        """Called when the output of the derivation `name` is valid."""


class SilentBuild:
    """A listener that does nothing."""

    def started(self, name: str) -> None:
        """Do nothing."""

    def finished(self, name: str) -> None:
        """Do nothing."""


class SeveralFailed(DenizenError):
    """Several builds failed, and others went on."""

    failures: tuple[DenizenError, ...]

    @property
    def what(self) -> str:
        return f"{len(self.failures)} builds failed"

    @property
    def why(self) -> str:
        return "\n".join(str(one) for one in self.failures)

    @property
    def remedy(self) -> str:
        return "\n".join(dict.fromkeys(one.remedy for one in self.failures if one.remedy))


class Stopped(DenizenError):
    """A build was stopped because another failed."""


class RealiseOptions(Value):
    """Options of `realise`.

    Attributes:
        opener: opens URLs.
        jobs: number of derivations built at once.
        listener: is told of builds that begin and end.
        builders: builders of higher layers, by name.
        ordinary: settings of builds that run programs; without them such derivations are refused.
        before_unpacking: called before packages are unpacked.
        keep_going: after a failure, what does not depend on it is built all the same.
        made: the derivations, each after its inputs, if the caller has just made them; else files are read.
    """

    opener: Opener
    jobs: int = 1
    listener: Listener = SilentBuild()
    builders: Mapping[bytes, Builder] | None = None
    ordinary: BuildSettings | None = None
    before_unpacking: Callable[[], None] | None = None
    keep_going: bool = False
    made: Sequence[Sealed] = ()


def realise(store: Store, wanted: Sequence[StorePath], manner: RealiseOptions) -> dict[StorePath, Sealed]:
    """Make the outputs of the derivations `wanted` valid; return each derivation with its outputs.

    Raises:
        NoDerivation, NoSource: a derivation or source is not in the store.
        BadDerivation: a derivation is invalid.
        DenizenError: a builder failed.
    """
    again = wanted if manner.ordinary is not None and manner.ordinary.check else ()
    with store.working() as work:
        plan = plan_for(store, work, wanted, again, manner.made)
        _run(store, work, plan, manner, again)
        return {path: replace(plan.sealed[path], outputs=plan.known[path]) for path in wanted}


def _run(
    store: Store, work: Work, plan: RealisePlan, manner: RealiseOptions, again: Sequence[StorePath]
) -> None:
    """Build the plan's missing derivations, each once its inputs are valid."""
    if not plan.missing:
        return
    packages = sum(one.derivation.builder == builtin_unpack_deb.BUILDER for one in plan.missing)
    if packages and manner.before_unpacking is not None:
        manner.before_unpacking()
    if len(plan.missing) == 1 and not packages:
        # Importing concurrent.futures, which imports logging, costs 10 ms, and threading 2.
        shop = _Shop(manner, contextlib.nullcontext, contextlib.nullcontext(), _Flag(), frozenset(again))
        _build(store, plan.missing[0], plan, shop)
        return
    with _helpers(min(manner.jobs, packages)) as helpers:
        shop = _pool_shop(work, manner, frozenset(again), helpers)
        _run_in_pool(store, plan, shop, packages)


def _helpers(count: int) -> AbstractContextManager[Helpers | None]:
    """Return a pool of `count` processes that unpack packages."""
    if not count:
        return contextlib.nullcontext()
    from denizen.build.package_unpack import work as unpacking
    from denizen.process_pool import Helpers

    return Helpers(unpacking, count)


def _pool_shop(
    work: Work, manner: RealiseOptions, again: frozenset[StorePath], helpers: Helpers | None
) -> _Shop:
    import threading

    from denizen.build.batch_commit import Registrar

    turns = threading.BoundedSemaphore(manner.jobs)
    return _Shop(manner, Store.opened_again, turns, _Flag(), again, helpers, Registrar(work))


def _run_in_pool(store: Store, plan: RealisePlan, shop: _Shop, packages: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from denizen.build.batch_commit import TOGETHER

    threads = shop.manner.jobs + min(2 * TOGETHER, packages)
    with ThreadPoolExecutor(threads, "build") as pool:
        try:
            _schedule(store, plan, shop, pool, threads)
        except BaseException:
            shop.stop.set()
            if shop.helpers is not None:
                shop.helpers.close()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _schedule(store: Store, plan: RealisePlan, shop: _Shop, pool: ThreadPoolExecutor, threads: int) -> None:
    assert shop.registrar is not None
    woken = shop.registrar.wake
    logical = store.layout.logical
    left: set[StorePath | None] = {one.path for one in plan.missing}
    waiting = {one.path: left & input_paths(one.derivation, logical).keys() for one in plan.missing}
    running: dict[Future[None], StorePath] = {}
    failures: dict[StorePath, DenizenError] = {}
    while left:
        for path in [path for path, inputs in waiting.items() if not inputs & left]:
            one = plan.sealed[path]
            if (failed := next((one for one in waiting.pop(path) if one in failures), None)) is not None:
                failures[path] = failures[failed]
                left.discard(path)
                continue
            future = pool.submit(_build, store, one, plan, shop)
            running[future] = path
            future.add_done_callback(lambda _: woken())
        if running:
            shop.registrar.attend(min(len(running), threads))
        for future in [future for future in running if future.done()]:
            left.discard(_settled(future, running, failures if shop.manner.keep_going else None))
    _raise_all(tuple(dict.fromkeys(failures.values())))


def _settled(
    future: Future[None],
    running: dict[Future[None], StorePath],
    failures: dict[StorePath, DenizenError] | None,
) -> StorePath | None:
    """Return the path whose build ended, or None where it was stopped because another build failed.

    The error of a failed build goes into `failures`; without that it is raised.
    """
    path = running.pop(future)
    try:
        future.result()
    except Stopped:
        return None
    except DenizenError as error:
        if failures is None:
            raise
        failures[path] = error
    return path


def _raise_all(failures: Sequence[DenizenError]) -> None:
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise SeveralFailed(tuple(failures))


class _Flag:
    """A flag that is set once; nobody waits for it, so it needs no lock, nor the module threading."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        self.is_set = True


class _Shop(Value):
    """The state shared by all builds of a run.

    Attributes:
        store_of_thread: returns the store for the thread that builds: a database connection belongs to one.
        turns: semaphore of `jobs`, for builds that need no helper process.
        stop: set once a build has failed.
        again: derivations that are built even if their outputs are valid.
        helpers, registrar: where packages are among what is built, and several threads.
    """

    manner: RealiseOptions
    store_of_thread: Callable[[Store], AbstractContextManager[Store]]
    turns: AbstractContextManager[object]
    stop: _Flag
    again: frozenset[StorePath]
    helpers: Helpers | None = None
    registrar: Registrar | None = None

    def checkpoint(self) -> None:
        """Raise Stopped if another build has failed."""
        if self.stop.is_set:
            raise Stopped

    def register(self, adoption: Adoption) -> None:
        """Have a tree made an object, and wait until it is valid."""
        assert self.registrar is not None  # packages are built in the pool
        self.registrar.add(adoption, self.checkpoint)


def _build(store: Store, sealed: Sealed, plan: RealisePlan, shop: _Shop) -> None:
    """Build one derivation; on failure set `stop` before this thread can begin another build."""
    try:
        shop.checkpoint()
        one = resolved_with(sealed, plan.known, store.layout.logical)
        assert one is not None  # its inputs have been built
        inputs = inputs_of(one, plan.known, store.layout.logical)
        plan.known[sealed.path] = _build_locked(store, sealed, one, inputs, shop)
    except BaseException as error:
        if not (shop.manner.keep_going and isinstance(error, DenizenError)):
            shop.stop.set()
        raise


def _build_locked(
    store: Store, stated: Sealed, one: Sealed, inputs: frozenset[StorePath], shop: _Shop
) -> Outputs:
    """Build a derivation under its first output's lock, unless the outputs are valid by then; return those.

    `one` is the derivation as `stated` in its file, with the paths of its inputs filled in. A derivation
    whose output is not known yet has a lock itself.
    """
    with (
        shop.store_of_thread(store) as own,
        own.working() as work,
        work.building(next(iter(one.outputs.values()), stated.path)),
    ):
        outputs = one.outputs or outputs_found(own, stated, {}) or outputs_found(own, one, {})
        valid = bool(outputs) and work.need(outputs.values()) >= set(outputs.values())
        if valid and stated.path not in shop.again:
            return outputs
        name = name_of(stated.path)
        shop.manner.listener.started(name)
        task = Build(
            replace(one, outputs=outputs),
            inputs,
            own,
            work,
            shop.manner.opener,
            shop.checkpoint,
            shop.helpers,
            shop.register,
            (stated.modulo, one.modulo),
            stated.path in shop.again,
        )
        # Unpacking waits for a helper process, and then for a joint registration: it needs no turn.
        alone = one.derivation.builder == builtin_unpack_deb.BUILDER
        with contextlib.nullcontext() if alone else shop.turns:
            outputs = build(task, shop.manner.builders, shop.manner.ordinary)
        shop.manner.listener.finished(name)
        return outputs
