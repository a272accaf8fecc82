"""Checks of what outputs refer to and how large they are (pure).

Specification: Nix, src/libstore/build/local-derivation-goal.cc (checkOutputs). As variables
(`allowedReferences` and the like) the checks hold for every output; among structured attributes,
`outputChecks.<output>` holds for one. What is listed is a store path, or the name of an output.
"""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.build.runner.variables import strings
from denizen.errors import BadInput, display
from denizen.formats import storepath
from denizen.formats.storepath import BadStorePath
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath
    from denizen.store.object_info import ObjectInfo

# (attribute, whether what is listed is allowed, whether it is about the whole closure)
_LISTS = (
    ("allowedReferences", True, False),
    ("allowedRequisites", True, True),
    ("disallowedReferences", False, False),
    ("disallowedRequisites", False, True),
)


class ForbiddenReferences(BadInput):
    """An output refers to objects that its derivation does not allow."""

    name: str
    output: StorePath
    attribute: str
    paths: tuple[StorePath, ...]
    WHAT = "the output {output} of '{name}' refers to what '{attribute:text}' forbids"
    REMEDY = "built without the check, denizen store why-depends OUTPUT PATH says which file mentions it"

    @property
    def why(self) -> str:
        return ", ".join(map(str, self.paths))


class TooLarge(BadInput):
    """An output, or its closure, is larger than its derivation allows."""

    name: str
    output: StorePath
    attribute: str
    size: int
    limit: int
    WHAT = "the output {output} of '{name}' is too large"
    WHY = "it has {size} bytes, and {attribute:text} is {limit}"


class OutputChecks(Value):
    """The checks of one output.

    Attributes:
        lists: the listed words by attribute.
        limits: the limits by attribute (maxSize, maxClosureSize).
        may_mention_itself: a closure may hold the output itself without that being listed.
    """

    lists: Mapping[str, tuple[bytes, ...]]
    limits: Mapping[str, int]
    may_mention_itself: bool


class Built(Value):
    """The outputs of one build, for the checks.

    Attributes:
        name: the derivation's name.
        outputs: the outputs by name.
        info_of: returns what is registered of another object.
        store_dir: the store directory.
    """

    name: str
    outputs: Mapping[bytes, ObjectInfo]
    info_of: Callable[[StorePath], ObjectInfo]
    store_dir: bytes


def checks_of(
    derivation: Derivation, attributes: Mapping[str, Any] | None, name: str
) -> dict[bytes, OutputChecks]:
    """Return the checks of each output that has some. Raises BadDerivation."""
    if attributes is None:
        words = {key: strings(derivation, key.encode()) for key, _, _ in _LISTS}
        lists = {key: listed for key, listed in words.items() if listed is not None}
        return (
            dict.fromkeys(derivation.outputs, OutputChecks(lists, {}, may_mention_itself=True))
            if lists
            else {}
        )
    wanted = attributes.get("outputChecks")
    if not isinstance(wanted, dict):
        return {}
    names = [output for output in derivation.outputs if output.decode() in wanted]
    return {output: _structured(wanted[output.decode()], name) for output in names}


def _structured(wanted: object, name: str) -> OutputChecks:
    if not isinstance(wanted, dict):
        raise BadDerivation(name, "its outputChecks are no JSON object")
    lists: dict[str, tuple[bytes, ...]] = {}
    for key, _, _ in _LISTS:
        if key in wanted:
            if not isinstance(wanted[key], list) or not all(isinstance(one, str) for one in wanted[key]):
                raise BadDerivation(name, f"its {key} is no list of strings")
            lists[key] = tuple([one.encode() for one in wanted[key]])
    limits = {key: wanted[key] for key in ("maxSize", "maxClosureSize") if isinstance(wanted.get(key), int)}
    return OutputChecks(lists, limits, may_mention_itself=False)


def check(built: Built, checks: Mapping[bytes, OutputChecks]) -> None:
    """Check every output.

    Raises:
        ForbiddenReferences, TooLarge: an output fails a check.
        BadDerivation: a check lists what is neither a store path nor an output.
    """
    for output, wanted in checks.items():
        info = built.outputs[output]
        _check_sizes(built, info, wanted)
        for key, allowed, recursive in _LISTS:
            if key in wanted.lists:
                listed = {_specified(built, word) for word in wanted.lists[key]}
                used = set(_closure(built, info)) if recursive else set(info.references)
                if recursive and wanted.may_mention_itself:
                    used.discard(info.path)
                bad = used - listed if allowed else used & listed
                if bad:
                    raise ForbiddenReferences(built.name, info.path, key, tuple(sorted(bad)))


def _check_sizes(built: Built, info: ObjectInfo, wanted: OutputChecks) -> None:
    limit = wanted.limits.get("maxSize")
    if limit is not None and info.nar_size > limit:
        raise TooLarge(built.name, info.path, "maxSize", info.nar_size, limit)
    limit = wanted.limits.get("maxClosureSize")
    if limit is not None:
        size = sum(one.nar_size for one in _closure(built, info).values())
        if size > limit:
            raise TooLarge(built.name, info.path, "maxClosureSize", size, limit)


def _specified(built: Built, word: bytes) -> StorePath:
    try:
        return storepath.parse(word, built.store_dir)
    except BadStorePath:
        if word in built.outputs:
            return built.outputs[word].path
        raise BadDerivation(
            built.name, f"'{display(word)}' is neither a store path nor the name of an output"
        ) from None


def _closure(built: Built, top: ObjectInfo) -> dict[StorePath, ObjectInfo]:
    own = {info.path: info for info in built.outputs.values()}
    found: dict[StorePath, ObjectInfo] = {}
    pending: Iterable[StorePath] = [top.path]
    while pending:
        fresh = [path for path in pending if path not in found]
        found |= {path: own.get(path) or built.info_of(path) for path in fresh}
        pending = [reference for path in fresh for reference in found[path].references]
    return found
