"""Build, one derivation being built, as builders see it."""

from __future__ import annotations

from denizen.build.builtin_derivations import OUT
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation, name_of
from denizen.disk_view import RootedView
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    from denizen.build.derivation import Sealed
    from denizen.formats.storepath import StorePath
    from denizen.process_pool import Helpers
    from denizen.store.local import Store
    from denizen.store.object_staging import Work
    from denizen.store.staged_tree import Adoption
else:
    Protocol = object


class Opener(Protocol):
    """The signature of a function that opens a URL; http lives in a higher layer (`sources.url_opener`)."""

    def __call__(self, url: str) -> Iterator[bytes]:
        """Yield the bytes at `url` as they arrive. Raises SourceFailed at once or between pieces."""


class Build(Value):
    """One derivation being built.

    Attributes:
        sealed: the derivation with its output paths.
        inputs: the objects it may use; all valid, and kept while it is built.
        store: the store it is built in.
        work: the operation that keeps its inputs and adds its output.
        opener: opens URLs.
        checkpoint: called between steps; raises to stop the build.
        helpers: the processes that unpack packages, where there are any.
        register: makes a tree of `work` an object, together with trees of other builds.
        modulos: the hashes modulo under which outputs that are named by their content are remembered.
        again: its outputs are built once more and compared.
    """

    sealed: Sealed
    inputs: frozenset[StorePath]
    store: Store
    work: Work
    opener: Opener
    checkpoint: Callable[[], None]
    helpers: Helpers | None
    register: Callable[[Adoption], None]
    modulos: tuple[bytes, ...] = ()
    again: bool = False

    @property
    def name(self) -> str:
        """The derivation's name."""
        return name_of(self.sealed.path)

    @property
    def output(self) -> StorePath:
        """The path of the derivation's output."""
        return self.sealed.outputs[OUT]

    @property
    def variables(self) -> Variables:
        """The derivation's environment, which holds the builder's parameters."""
        return Variables(self.name, self.sealed.derivation.environment, self.store.layout.logical)

    def place_of(self, path: StorePath) -> bytes:
        """Return the path of an input on disk. Raises BadDerivation for an object that is not an input."""
        if path not in self.inputs:
            raise BadDerivation(self.name, f"it uses {path}, which is not among its inputs")
        return self.store.place_of(path)

    def view_of(self, path: StorePath) -> RootedView:
        """Return a view of an input's own tree as /.

        Raises BadDerivation for an object that is not an input.
        """
        return RootedView(self.place_of(path))

    def adopt(self, tree: bytes, candidates: Iterable[StorePath], content_address: str | None = None) -> None:
        """Make the tree built at `tree` the derivation's output.

        References are looked for among `candidates`.
        """
        self.work.adopt(tree, self.output, candidates, self.sealed.path, content_address)
