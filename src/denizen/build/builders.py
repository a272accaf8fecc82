"""The effects of the built-in builders: carry out a derivation's plan and store its output.

Each builder reads its plan (the pure modules `builtin_*`), makes the output under a temporary name in the
store, and has it made an object. A failed build leaves nothing behind.
"""

from __future__ import annotations

import os

from denizen.build import builtin_fetch, builtin_libraries, builtin_union, builtin_unpack_deb, union_plan
from denizen.build.builtin_derivations import OUT
from denizen.build.derivation import BadDerivation
from denizen.disk import OPEN_NEW
from denizen.errors import BadInput, SourceFailed, display
from denizen.formats.hashes import Hash
from denizen.formats.storepath import Method, method_prefix
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from denizen.build.build_task import Build
    from denizen.build.runner.build_settings import BuildSettings
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath

    T = TypeVar("T")


class NoSuchBuilder(BadInput):
    """A derivation's builder is not one that denizen can run."""

    name: str
    builder: bytes
    system: bytes
    WHAT = "the derivation '{name}' cannot be built here"

    @property
    def why(self) -> str:
        known = ", ".join(sorted(display(name) for name in BUILDERS))
        return (
            f"its builder is {display(self.builder)} for the system '{display(self.system)}'; "
            f"denizen runs {known}"
        )


def build(
    task: Build, more: Mapping[bytes, Builder] | None = None, ordinary: BuildSettings | None = None
) -> Mapping[bytes, StorePath]:
    """Make the derivation's outputs valid by a builder of `BUILDERS`, of `more`, or a program; return them.

    Raises:
        NoSuchBuilder: denizen cannot run its builder.
        DenizenError: the builder failed.
    """
    derivation = task.sealed.derivation
    builder = BUILDERS.get(derivation.builder) or (more or {}).get(derivation.builder)
    if builder is not None and set(derivation.outputs) == {OUT}:
        builder(task)
        return task.sealed.outputs
    if ordinary is None or derivation.builder.startswith(b"builtin:"):
        raise NoSuchBuilder(task.name, derivation.builder, derivation.system)
    from denizen.build.runner.ordinary_derivation import build_program

    return build_program(task, ordinary)


def _fetch(task: Build) -> None:
    plan = builtin_fetch.read(task.sealed.derivation, task.variables)
    tried: list[tuple[str, str]] = []
    unreached = False
    for url in plan.urls:
        try:
            tree, found = _download(task, plan, url)
        except SourceFailed as error:
            tried.append((url, str(error)))
            unreached |= isinstance(error, builtin_fetch.NotOpened) and not error.answered
            continue
        if found == plan.content.content:
            prefix = method_prefix(plan.content.method)
            task.adopt(tree, (), f"fixed:{prefix}{found.nix}")
            return
        tried.append((url, f"it has {found.sri}"))
    raise builtin_fetch.NotFetched(task.name, plan.content.content.sri, tuple(tried), unreached)


def _download(task: Build, plan: builtin_fetch.Fetch, url: str) -> tuple[bytes, Hash]:
    """Return a new tree with the file, and its hash taken by the plan's method."""
    algorithm = plan.content.content.algorithm
    tree = task.work.new_tree()
    import hashlib  # OpenSSL, 2.7 ms

    digest = hashlib.new(algorithm, usedforsecurity=False)
    with doing("write", tree):
        descriptor = os.open(tree, OPEN_NEW, 0o700 if plan.executable else 0o600)
        with open(descriptor, "wb", buffering=0) as stream:
            for piece in _bounded(task, plan, url):
                digest.update(piece)
                stream.write(piece)
    if plan.content.method is Method.FLAT:
        return tree, Hash(algorithm, digest.digest())
    if algorithm != "sha256":
        raise BadDerivation(task.name, "the hash of what is executable must be sha256")
    return tree, Hash(algorithm, task.work.digest_of(tree).nar_hash)


def _bounded(task: Build, plan: builtin_fetch.Fetch, url: str) -> Iterator[bytes]:
    size = 0
    for piece in task.opener(url):
        task.checkpoint()
        size += len(piece)
        if size > plan.limit:
            raise builtin_fetch.WrongSize(url, plan.limit, at_least=size)
        yield piece
    if plan.exact and size != plan.limit:
        raise builtin_fetch.WrongSize(url, plan.limit, at_least=size)


def _unpack_deb(task: Build) -> None:
    from denizen.build.package_unpack import PackageFile, unpack_by_helper
    from denizen.store.staged_tree import Adoption

    assert task.helpers is not None  # made for every plan with packages
    plan = builtin_unpack_deb.read(task.variables)
    place = task.place_of(plan.source)
    tree = task.work.new_tree()
    candidates = tuple(task.store.closure(task.inputs))
    digests = tuple(path.digest.encode("ascii") for path in (*candidates, task.output))
    digest = unpack_by_helper(
        task.helpers, PackageFile(place, b"", plan.source.name, plan.layout, tree, digests)
    )
    task.register(Adoption(tree, digest, task.output, candidates, task.sealed.path))


def _union(task: Build) -> None:
    packages = union_plan.inputs_of(task.variables)
    providers = [union_plan.UnionProvider(package, task.view_of(package.path)) for package in packages]
    with doing("unite packages in", task.store.layout.physical):
        _add(task, union_plan.plan(providers))


def _libraries(task: Build) -> None:
    links = builtin_libraries.read(task.variables)
    with doing("link libraries in", task.store.layout.physical):
        _add(task, builtin_libraries.plan(links, task.view_of))


def _add(task: Build, entries: Iterator[Entry]) -> None:
    """Store a planned tree; its links can lead to inputs only."""
    task.work.add_entries(_interruptible(task, entries), task.output, task.inputs, task.sealed.path)


def _interruptible(task: Build, entries: Iterator[T]) -> Iterator[T]:
    for entry in entries:
        task.checkpoint()
        yield entry


if TYPE_CHECKING:
    # Builds one kind of derivation; higher layers add their own (`realise.RealiseOptions.builders`).
    Builder = Callable[[Build], None]

BUILDERS: Mapping[bytes, Builder] = {
    builtin_fetch.BUILDER: _fetch,
    builtin_fetch.NIX_BUILDER: _fetch,
    builtin_unpack_deb.BUILDER: _unpack_deb,
    builtin_union.BUILDER: _union,
    builtin_libraries.BUILDER: _libraries,
}
