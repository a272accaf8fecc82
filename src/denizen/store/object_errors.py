"""Errors about a store, or about an object of it.

They are imported where they are raised, as those of profiles are (profiles/profile_errors.py).
"""

from __future__ import annotations

from denizen.disk import FULL
from denizen.errors import BadInput, DenizenError, StoreDamaged
from denizen.store.errors import DiskFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.nar_digest import Digest


class NoStore(DenizenError):
    """There is no store at the given path."""

    path: bytes
    WHAT = "there is no store at {path}"
    REMEDY = "denizen store add PATH, which makes one"


class NotAStore(DenizenError):
    """A store cannot be made in a directory that holds other files."""

    path: bytes
    WHAT = "no store can be made in {path}"
    WHY = "the directory holds other things; a store wants one of its own"


class NotValid(DenizenError):
    """An object is not in the store."""

    path: StorePath

    @property
    def what(self) -> str:
        return f"{self.path} is not a valid object of the store"


class ReferenceGone(StoreDamaged):
    """An object to be registered mentions one that is not valid."""

    referrer: StorePath
    reference: StorePath

    @property
    def what(self) -> str:
        return f"{self.referrer} cannot be registered"

    @property
    def why(self) -> str:
        return f"it references {self.reference}, which is not valid"


class WrongContent(BadInput):
    """A NAR is not the one that was promised."""

    path: StorePath
    promised: Digest
    found: Digest

    @property
    def what(self) -> str:
        return f"the archive for {self.path} is not the one that was promised"

    @property
    def why(self) -> str:
        return f"promised {_shown(self.promised)}, found {_shown(self.found)}; nothing was unpacked"


class BadMarker(StoreDamaged):
    """The marker file is malformed."""

    path: bytes
    WHAT = "{path} is damaged"
    WHY = "it says 'denizen-store 1' and 'store-dir: ' with an absolute path, or a newer denizen made it"


def _shown(digest: Digest) -> str:
    from denizen.formats.hashes import Hash

    return f"{Hash('sha256', digest.nar_hash).nix} ({digest.nar_size} bytes)"


class StoreNotMade(DiskFailed):
    """A store cannot be made; there is nothing yet that could be collected."""

    @property
    def remedy(self) -> str:
        return "make room, or keep denizen's files elsewhere: --root DIR" if self.code in FULL else ""
