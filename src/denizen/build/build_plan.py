"""The plan of a realisation: which derivations are needed, and which have to be built.

Output paths that follow from content are looked up among the realisations of earlier builds. Where one is not
known, the paths of what depends on it may not be known either: then all of that is planned, and each
derivation is looked at again when its inputs are there.
"""

from __future__ import annotations

import os

from denizen.build.derivation import BadDerivation, examine, input_paths, name_of, resolved
from denizen.build.placeholders import downstream_placeholder
from denizen.errors import BadInput, display
from denizen.formats import aterm_parser, storepath
from denizen.store.errors import doing
from denizen.store.realisations import realised_path
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from denizen.build.derivation import Sealed
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

    # The outputs of derivations, by name.
    Outputs = Mapping[bytes, StorePath]


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


class RealisePlan(Value):
    """The derivations needed and those to be built.

    Attributes:
        sealed: every derivation that is needed, inputs first.
        missing: those to be built, inputs first.
        known: the outputs of derivations whose output paths are known; extended as they are built.
    """

    sealed: Mapping[StorePath, Sealed]
    missing: tuple[Sealed, ...]
    known: dict[StorePath, Outputs]


def plan_for(
    store: Store,
    work: Work,
    wanted: Iterable[StorePath],
    again: Collection[StorePath] = (),
    made: Sequence[Sealed] = (),
) -> RealisePlan:
    """Return the plan for `wanted`; all objects in it are kept by `work` from now on.

    Derivations in `again` are built even if their outputs are valid. The files of `wanted` and of what they
    need are read, unless `made` has them all, each after its inputs.

    Raises:
        NoDerivation, NoSource: a derivation or source is not in the store.
        BadDerivation: a derivation is invalid.
    """
    wanted = list(wanted)
    sealed = {one.path: one for one in made} or examine(
        wanted, lambda path: load(store, path), store.layout.logical
    )
    known = _known(store, sealed)
    valid = work.need({*sealed, *(output for outputs in known.values() for output in outputs.values())})
    missing = _missing(wanted, sealed, known, valid, store.layout.logical)
    missing |= set(again)
    plan = RealisePlan(sealed, tuple([one for path, one in sealed.items() if path in missing]), known)
    _need_sources(store, work, plan)
    return plan


def _known(store: Store, sealed: Mapping[StorePath, Sealed]) -> dict[StorePath, Outputs]:
    known: dict[StorePath, Outputs] = {}
    for path, one in sealed.items():
        outputs = one.outputs or outputs_found(store, one, known)
        if outputs:
            known[path] = outputs
    return known


def outputs_found(store: Store, one: Sealed, known: Mapping[StorePath, Outputs]) -> Outputs:
    """Return the outputs of a derivation whose paths follow from content; empty if they are not known."""
    earlier = _realised(store, one)
    if earlier:
        return earlier
    plain = resolved_with(one, known, store.layout.logical)
    if plain is None:
        return {}
    return plain.outputs or _realised(store, plain)


def _realised(store: Store, one: Sealed) -> Outputs:
    found = {name: realised_path(store.layout, one.modulo, name) for name in one.derivation.outputs}
    outputs = {name: path for name, path in found.items() if path is not None}
    return outputs if len(outputs) == len(found) else {}


def resolved_with(one: Sealed, known: Mapping[StorePath, Outputs], store_dir: bytes) -> Sealed | None:
    """Return a derivation with the paths of its inputs filled in; None if one of them is not known.

    A derivation whose outputs were known from the start is returned as it is.
    """
    if one.outputs:
        return one
    rewrites: dict[bytes, bytes] = {}
    used: set[StorePath] = set()
    for path, names in input_paths(one.derivation, store_dir).items():
        if path not in known:
            return None
        for name in names:
            output = _output_of(one, path, name, known)
            used.add(output)
            rewrites[downstream_placeholder(path, name)] = output.inside(store_dir)
    return resolved(one, rewrites, used, store_dir)


def _missing(
    wanted: Iterable[StorePath],
    sealed: Mapping[StorePath, Sealed],
    known: Mapping[StorePath, Outputs],
    valid: set[StorePath],
    store_dir: bytes,
) -> set[StorePath]:
    missing: set[StorePath] = set()
    pending = [(path, tuple(sealed[path].derivation.outputs)) for path in wanted]
    while pending:
        path, names = pending.pop()
        outputs = known.get(path, {})
        if path in missing or all(outputs.get(name) in valid for name in names):
            continue
        missing.add(path)
        pending += input_paths(sealed[path].derivation, store_dir).items()
    return missing


def add_derivation(store: Store, work: Work, name: str, content: bytes) -> StorePath:
    """Add a `.drv` file to the store and return its path; the objects it refers to must be valid.

    Raises:
        BadDerivationFile: `content` is not a derivation.
        BadStorePath: it is for another store directory.
        NoSource: an object it refers to is not valid.
    """
    derivation = aterm_parser.parse(content)
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
            return aterm_parser.parse(stream.read(aterm_parser.MAX_SIZE + 1))


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


def inputs_of(one: Sealed, known: Mapping[StorePath, Outputs], store_dir: bytes) -> frozenset[StorePath]:
    """Return the objects a derivation may use; the outputs of its inputs are known."""
    found = {storepath.parse(path, store_dir) for path in one.derivation.sources}
    for path, names in input_paths(one.derivation, store_dir).items():
        found |= {_output_of(one, path, name, known) for name in names}
    return frozenset(found)


def _output_of(one: Sealed, path: StorePath, name: bytes, known: Mapping[StorePath, Outputs]) -> StorePath:
    if name not in known[path]:
        raise BadDerivation(name_of(one.path), f"{path} has no output '{display(name)}'")
    return known[path][name]
