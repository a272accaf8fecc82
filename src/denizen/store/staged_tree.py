"""Staged and Adoption, trees on their way into the store.

Only what adds objects imports them: an operation that needs some which are there pays 50 us less.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.nar_digest import Digest


class Staged(Value):
    """A complete tree under its temporary name.

    Attributes:
        name: its temporary name in the store directory.
        digest: hash and size of its NAR.
    """

    name: bytes
    digest: Digest


class Adoption(Value):
    """A tree that is to become an object.

    Attributes:
        tree: its path (from `Work.new_tree`); its modes and times are canonical already.
        digest: hash and size of its NAR, scanned for the hashes of `candidates` and `path`.
        path: the object it becomes.
        candidates: the other objects it may refer to.
        deriver: the derivation that made it.
        content_address: where its path follows from its content alone.
    """

    tree: bytes
    digest: Digest
    path: StorePath
    candidates: tuple[StorePath, ...]
    deriver: StorePath | None
    content_address: str | None = None
