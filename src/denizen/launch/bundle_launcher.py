"""The launcher of a bundle: the compiled loader with an image behind it, or for files beside it (pure)."""

from __future__ import annotations

import hashlib

from denizen.bytesio import align_up
from denizen.launch.loader.settings import LoaderSettings, configure_loader
from denizen.launch.strategies.namespace_plan import HOST_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The image is mapped, and the decompressor may read as much behind it (loader/unpack/zstd.h).
_ALIGNMENT = 4096
_SLACK = 32


def launcher_beside(binary: bytes, arguments: Sequence[bytes] = ()) -> bytes:
    """Return the launcher of a bundle whose files lie beside it; among them it is the loader for children.

    `arguments` are those that the program gets before those of the start.
    """
    return configure_loader(binary, _settings(b".", arguments))


def launcher_with(binary: bytes, image: bytes, arguments: Sequence[bytes] = ()) -> bytes:
    """Return the launcher with the image behind it: the whole bundle as one file."""
    offset = align_up(len(binary), _ALIGNMENT)
    digest = hashlib.sha256(image).hexdigest().encode("ascii")
    place = b"%x-%x-%b" % (offset, len(image), digest)
    launcher = configure_loader(binary, _settings(place, arguments))
    return launcher.ljust(offset, b"\0") + image + bytes(_SLACK)


def _settings(place: bytes, arguments: Sequence[bytes]) -> LoaderSettings:
    return LoaderSettings(bundle=place, arguments=tuple(arguments), host_prefixes=HOST_PREFIXES)
