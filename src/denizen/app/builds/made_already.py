"""The quick answer to `denizen realise` for what it has made before.

A derivation in the store whose outputs were made by it was examined when it was built, so neither it nor
what it depends on is read again, and no database is opened: the sidecar of an object says which derivation
made it (docs/formats/sidecar.md). Where anything is otherwise, there is no quick answer.
"""

from __future__ import annotations

import os

from denizen.formats.drv_outputs import stated_outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.app.session import Session

_SUFFIX = b".drv"
# Outputs stand at the beginning of a derivation's file; a sidecar's deriver behind its references.
_MOST = 1 << 16
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def made_already(session: Session, files: Iterable[str]) -> dict[str, dict[str, bytes]] | None:
    """Return where outputs of derivations are, by the derivations' base names; None if one has to be made.

    Raises what `Session.paths` raises.
    """
    store = session.paths.store
    found: dict[str, dict[str, bytes]] = {}
    for file in files:
        place = os.path.abspath(os.fsencode(file))
        directory, base = os.path.split(place)
        outputs = _outputs(store, base) if directory == store and base.endswith(_SUFFIX) else None
        if outputs is None:
            return None
        found[os.fsdecode(base)] = outputs
    return found


def _outputs(store: bytes, base: bytes) -> dict[str, bytes] | None:
    stated = stated_outputs(_beginning(store + b"/" + base))
    if stated is None:
        return None
    places = {name: store + b"/" + os.path.basename(path) for name, path in stated.items()}
    if not all(_made_by(store, place, base) for place in places.values()):
        return None
    return {name.decode("ascii", "replace"): place for name, place in places.items()}


def _made_by(store: bytes, place: bytes, drv: bytes) -> bool:
    """Tell whether there is an object at `place`, and that derivation made it."""
    sidecar = _beginning(b"%b/.denizen/info/%b" % (store, os.path.basename(place)))
    return b"\nderiver: %b\n" % drv in sidecar and sidecar.endswith(b"\nend\n") and os.path.lexists(place)


def _beginning(path: bytes) -> bytes:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _MOST)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
