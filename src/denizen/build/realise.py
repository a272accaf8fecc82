"""Realise derivations: build the outputs that are not valid, inputs first and in parallel.

1. Every derivation needed is read and checked against its own name (`derivation.examine`).
2. Derivations whose outputs are valid already are left out, with their inputs. The rest is the plan.
3. The plan's derivations are built as their inputs become valid, `jobs` at a time. Each build holds
   the lock of its output, and checks again whether it is valid once it has the lock: of two
   processes that want the same output, one builds it.

All objects involved are kept from collection meanwhile. After the first failure no new build is begun,
running builds are stopped, and the failure is raised; completed outputs stay valid.
"""

from __future__ import annotations

import contextlib
import os
import threading

from denizen.build import builtin_unpack_deb
from denizen.build.builders import Build, build
from denizen.build.derivation import BadDerivation, examine, input_paths, name_of
from denizen.build.registrar import TOGETHER, Registrar
from denizen.errors import BadInput, DenizenError, display
from denizen.formats import aterm, storepath
from denizen.helpers import Helpers
from denizen.store.errors import doing
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor
    from typing import Protocol

    from denizen.build.builders import Builder, Opener
    from denizen.build.derivation import Sealed
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.work import Adoption, Work
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


class NoDerivation(BadInput):
    """A `.drv` file that is needed is not in the store."""

    path: StorePath

    @property
    def what(self) -> str:
        return f"the derivation {self.path} is not in the store"


class NoSource(BadInput):
    """A derivation uses an object that is not in the store, and that no derivation makes."""

    name: str
    missing: tuple[StorePath, ...]
    WHAT = "the derivation '{name}' reads what is not in the store"

    @property
    def why(self) -> str:
        return ", ".join(str(path) for path in self.missing)


class Stopped(DenizenError):
    """A build was stopped because another failed."""


@value
class RealiseOptions:
    """Options of `realise`.

    Attributes:
        opener: opens URLs.
        jobs: number of derivations built at once.
        listener: is told of builds that begin and end.
        builders: builders of higher layers, by name.
    """

    opener: Opener
    jobs: int = 1
    listener: Listener = SilentBuild()
    builders: Mapping[bytes, Builder] | None = None


@value
class RealisePlan:
    """The derivations needed and those to be built.

    Attributes:
        sealed: every derivation that is needed, inputs first.
        missing: those to be built, inputs first.
    """

    sealed: Mapping[StorePath, Sealed]
    missing: tuple[Sealed, ...]


def realise(store: Store, wanted: Sequence[StorePath], manner: RealiseOptions) -> dict[StorePath, Sealed]:
    """Make the outputs of the derivations `wanted` valid; return each derivation with its outputs.

    Raises:
        NoDerivation, NoSource: a derivation or source is not in the store.
        BadDerivation: a derivation is invalid.
        DenizenError: a builder failed.
    """
    with store.working() as work:
        plan = plan_for(store, work, wanted)
        _run(store, work, plan, manner)
        return {path: plan.sealed[path] for path in wanted}


def plan_for(store: Store, work: Work, wanted: Iterable[StorePath]) -> RealisePlan:
    """Return the plan for `wanted`; all objects in it are kept by `work` from now on. Raises as `realise`."""
    wanted = list(wanted)
    sealed = examine(wanted, lambda path: load(store, path), store.layout.logical)
    outputs = {path: set(one.outputs.values()) for path, one in sealed.items()}
    valid = work.need({*sealed, *(output for some in outputs.values() for output in some)})
    missing: set[StorePath] = set()
    pending = list(wanted)
    while pending:
        path = pending.pop()
        if path not in missing and not outputs[path] <= valid:
            missing.add(path)
            pending += input_paths(sealed[path].derivation, store.layout.logical)
    plan = RealisePlan(sealed, tuple(one for path, one in sealed.items() if path in missing))
    _need_sources(store, work, plan)
    return plan


def add_derivation(store: Store, work: Work, name: str, content: bytes) -> StorePath:
    """Add a `.drv` file to the store and return its path; the objects it refers to must be valid.

    Raises:
        BadDerivationFile: `content` is not a derivation.
        BadStorePath: it is for another store directory.
        NoSource: an object it refers to is not valid.
    """
    derivation = aterm.parse(content)
    references = {storepath.parse(path, store.layout.logical) for path in derivation.sources}
    references |= input_paths(derivation, store.layout.logical).keys()
    missing = references - work.need(references)
    if missing:
        raise NoSource(name, tuple(sorted(missing)))
    return work.add_text(name + ".drv", content, references).path


def load(store: Store, path: StorePath) -> Derivation:
    """Return the derivation in the store at `path`, not yet compared with its name. Raises NoDerivation."""
    place = store.place_of(path)
    with doing("read", place):
        try:
            # NOFOLLOW, NONBLOCK: an object that is a link or a pipe is not a derivation.
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NoDerivation(path) from None
        with open(descriptor, "rb") as stream:
            return aterm.parse(stream.read(aterm.MAX_SIZE + 1))


def _need_sources(store: Store, work: Work, plan: RealisePlan) -> None:
    logical = store.layout.logical
    sources = {
        one.path: [storepath.parse(path, logical) for path in one.derivation.sources] for one in plan.missing
    }
    valid = work.need({path for some in sources.values() for path in some})
    for path, some in sources.items():
        missing = tuple(sorted(set(some) - valid))
        if missing:
            raise NoSource(name_of(path), missing)


def _inputs(plan: RealisePlan, one: Sealed, logical: bytes) -> frozenset[StorePath]:
    """Return the objects a derivation may use."""
    found = {storepath.parse(path, logical) for path in one.derivation.sources}
    for path, outputs in input_paths(one.derivation, logical).items():
        for output in outputs:
            if output not in plan.sealed[path].outputs:
                raise BadDerivation(name_of(one.path), f"{path} has no output '{display(output)}'")
            found.add(plan.sealed[path].outputs[output])
    return frozenset(found)


def _run(store: Store, work: Work, plan: RealisePlan, manner: RealiseOptions) -> None:
    """Build the plan's missing derivations, each once its inputs are valid."""
    if not plan.missing:
        return
    from concurrent.futures import ThreadPoolExecutor

    from denizen.build.package_unpack import work as unpacking

    packages = sum(one.derivation.builder == builtin_unpack_deb.BUILDER for one in plan.missing)
    threads = manner.jobs + min(2 * TOGETHER, packages)
    with (
        Helpers(unpacking, min(manner.jobs, packages)) as helpers,
        ThreadPoolExecutor(threads, "build") as pool,
    ):
        turns = threading.BoundedSemaphore(manner.jobs)
        shop = _Shop(manner, helpers, Registrar(work), turns, threading.Event())
        try:
            _schedule(store, plan, shop, pool, threads)
        except BaseException:
            shop.stop.set()
            helpers.close()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _schedule(store: Store, plan: RealisePlan, shop: _Shop, pool: ThreadPoolExecutor, threads: int) -> None:
    logical = store.layout.logical
    left: set[StorePath | None] = {one.path for one in plan.missing}
    waiting = {one.path: left & input_paths(one.derivation, logical).keys() for one in plan.missing}
    running: dict[Future[None], StorePath] = {}
    while left:
        for path in [path for path, inputs in waiting.items() if not inputs & left]:
            del waiting[path]
            one = plan.sealed[path]
            future = pool.submit(_build, store, one, _inputs(plan, one, logical), shop)
            running[future] = path
            future.add_done_callback(lambda _: shop.registrar.wake())
        shop.registrar.attend(min(len(running), threads))
        for future in [future for future in running if future.done()]:
            left.discard(_settled(future, running))


def _settled(future: Future[None], running: dict[Future[None], StorePath]) -> StorePath | None:
    """Return the path whose build ended, or None where it was stopped because another build failed.

    Raises the build's exception.
    """
    path = running.pop(future)
    try:
        future.result()
    except Stopped:
        return None
    return path


@value
class _Shop:
    """The state shared by all builds of a run.

    Attributes:
        turns: semaphore of `jobs`, for builds that need no helper process.
        stop: set once a build has failed.
    """

    manner: RealiseOptions
    helpers: Helpers
    registrar: Registrar
    turns: threading.BoundedSemaphore
    stop: threading.Event

    def checkpoint(self) -> None:
        """Raise Stopped if another build has failed."""
        if self.stop.is_set():
            raise Stopped

    def register(self, adoption: Adoption) -> None:
        """Have a tree made an object, and wait until it is valid."""
        self.registrar.add(adoption, self.checkpoint)


def _build(store: Store, sealed: Sealed, inputs: frozenset[StorePath], shop: _Shop) -> None:
    """Build one derivation; on failure set `stop` before this thread can begin another build."""
    try:
        shop.checkpoint()
        _build_locked(store, sealed, inputs, shop)
    except BaseException:
        shop.stop.set()
        raise


def _build_locked(store: Store, sealed: Sealed, inputs: frozenset[StorePath], shop: _Shop) -> None:
    """Build a derivation under its output's lock, unless the output is valid by then."""
    name = name_of(sealed.path)
    (output, *_) = sealed.outputs.values()
    with (
        # A store of its own for each thread: a database connection belongs to one thread.
        type(store).open(store.layout.physical) as own,
        own.working() as work,
        work.building(output) as valid,
    ):
        if valid:
            return
        listener = shop.manner.listener
        listener.started(name)
        task = Build(
            sealed, inputs, own, work, shop.manner.opener, shop.checkpoint, shop.helpers, shop.register
        )
        # Unpacking waits for a helper process, and then for a joint registration: it needs no turn.
        alone = sealed.derivation.builder == builtin_unpack_deb.BUILDER
        with contextlib.nullcontext() if alone else shop.turns:
            build(task, shop.manner.builders)
        listener.finished(name)
