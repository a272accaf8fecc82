"""The plan of outputs: where each is built, and by what its path is known (pure).

An output is built at its own path, in the sandbox's own store directory, where that path is known. Otherwise
it is built at a scratch path, and the scratch path's hash is replaced in it afterwards.
"""

from __future__ import annotations

from denizen.build.derivation import DerivationKind, fixed_output, floating_output, kind_of
from denizen.build.placeholders import placeholder, scratch_path
from denizen.errors import BadInput
from denizen.formats import storepath
from denizen.formats.storepath import method_prefix
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from denizen.build.derivation import FixedOutput, Sealed
    from denizen.formats.hashes import Hash
    from denizen.formats.storepath import Method, StorePath


class OutputCycle(BadInput):
    """Outputs of one derivation refer to each other."""

    name: str
    outputs: tuple[str, ...]
    WHAT = "the outputs of '{name}' refer to each other"

    @property
    def why(self) -> str:
        return " and ".join(self.outputs)


class PlannedOutput(Value):
    """An output to be built.

    Attributes:
        name: its name.
        scratch: the path at which it is built.
        final: its own path; None where that follows from its content.
        fixed: the hash it must have.
        floating: the method and algorithm of the hash by which it is named.
    """

    name: bytes
    scratch: StorePath
    final: StorePath | None
    fixed: FixedOutput | None = None
    floating: tuple[Method, str] | None = None


def planned_outputs(
    one: Sealed, name: str, store_dir: bytes, occupied: Collection[StorePath] = ()
) -> tuple[PlannedOutput, ...]:
    """Return the outputs of a derivation, sorted by name.

    `occupied` are paths at which nothing can be built, because objects lie there.
    """
    kind = kind_of(one.derivation, name)
    planned = []
    for output, stated in sorted(one.derivation.outputs.items()):
        floating = floating_output(stated, name) if kind is DerivationKind.FLOATING else None
        fixed = fixed_output(stated, name) if kind is DerivationKind.FIXED else None
        final = None if floating else one.outputs[output]
        free = final is not None and final not in occupied
        scratch = final if free and final is not None else scratch_path(one.path, output, store_dir)
        planned.append(PlannedOutput(output, scratch, final, fixed, floating))
    return tuple(planned)


def builder_rewrites(outputs: Iterable[PlannedOutput], store_dir: bytes) -> dict[bytes, bytes]:
    """Return what is replaced in what the builder is given: placeholders, and paths that are not built at."""
    rewrites: dict[bytes, bytes] = {}
    for output in outputs:
        rewrites[placeholder(output.name)] = output.scratch.inside(store_dir)
        if output.final is not None and output.final != output.scratch:
            rewrites[output.final.digest.encode("ascii")] = output.scratch.digest.encode("ascii")
    return rewrites


def refuse_cycle(name: str, mentions: Mapping[bytes, Collection[bytes]]) -> tuple[bytes, ...]:
    """Return the outputs, each after those it mentions, given which others each of them mentions.

    Raises:
        OutputCycle: there is no such order.
    """
    left = {output: set(others) - {output} for output, others in mentions.items()}
    ordered: list[bytes] = []
    while left:
        ready = sorted(output for output, others in left.items() if not others & left.keys())
        if not ready:
            raise OutputCycle(name, tuple(sorted(output.decode("ascii", "replace") for output in left)))
        ordered += ready
        left = {output: others for output, others in left.items() if output not in ready}
    return tuple(ordered)


def content_address(method: Method, content: Hash) -> str:
    """Return the content address of an output, as it is registered."""
    return f"fixed:{method_prefix(method)}{content.nix}"


def floating_path(
    name: str,
    method: Method,
    content: Hash,
    references: Iterable[StorePath],
    store_dir: bytes,
    *,
    itself: bool,
) -> StorePath | None:
    """Return the path of an output that is named by its content; None where no path has such references."""
    references = tuple(references)
    if method is storepath.Method.RECURSIVE and content.algorithm == "sha256":
        return storepath.for_source(name, content, references, store_dir, refers_to_itself=itself)
    return None if references or itself else storepath.for_fixed(name, method, content, store_dir)
