"""The launcher of a bundle: the compiled loader with an image behind it, or for files beside it (pure)."""

from __future__ import annotations

import hashlib
import struct

from denizen.bytesio import align_up
from denizen.launch.loader.settings import HOST_PREFIXES, LoaderSettings, configure_loader
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The image is mapped, and the decompressor may read as much behind it (loader/unpack/zstd.h).
ALIGNMENT = 4096
_OWN_ALIGNMENT = 8
_SLACK = 32
# Of an AppImage of type 2, in the padding of e_ident.
_MARK, _MARK_AT = b"AI\2", 8
# e_shoff; e_shentsize, e_shnum, e_shstrndx of a 64-bit header.
_SECTIONS_AT, _SECTION_COUNT, _SECTION_HEADER = struct.Struct("<Q"), struct.Struct("<3H"), 64


def launcher_beside(binary: bytes, arguments: Sequence[bytes] = ()) -> bytes:
    """Return the launcher of a bundle whose files lie beside it; among them it is the loader for children.

    `arguments` are those that the program gets before those of the start.
    """
    return configure_loader(binary, _settings(b".", arguments))


def launcher_with(binary: bytes, image: bytes, arguments: Sequence[bytes] = ()) -> bytes:
    """Return the launcher with the image behind it: the whole bundle as one file."""
    offset = align_up(len(binary), _OWN_ALIGNMENT)
    launcher = configure_loader(binary, _settings(_place(offset, image), arguments))
    return launcher.ljust(offset, b"\0") + image + bytes(_SLACK)


def appimage_with(binary: bytes, index: bytes, squashfs: bytes, arguments: Sequence[bytes] = ()) -> bytes:
    """Return the launcher as an AppImage's runtime, with a SquashFS image behind it, and the index of that.

    `index` is an image of a bundle whose blocks lie in the other (formats.bundle_image.encode_over). By the
    specification a runtime is an ELF file that ends with its section headers, where the other image begins:
    the last bytes of the index, which are zeros, are given out as the header that such a table begins with.
    """
    offset = align_up(len(binary), ALIGNMENT)
    end = offset + len(index)
    settings = replace(_settings(_place(offset, index + squashfs), arguments), appimage=b"%d" % end)
    runtime = bytearray(configure_loader(binary, settings).ljust(offset, b"\0"))
    runtime[_MARK_AT : _MARK_AT + len(_MARK)] = _MARK
    _SECTIONS_AT.pack_into(runtime, 0x28, end - _SECTION_HEADER)
    _SECTION_COUNT.pack_into(runtime, 0x3A, _SECTION_HEADER, 1, 0)
    return bytes(runtime) + index + squashfs + bytes(_SLACK)


def _place(offset: int, image: bytes) -> bytes:
    return b"%x-%x-%b" % (offset, len(image), hashlib.sha256(image).hexdigest().encode("ascii"))


def _settings(place: bytes, arguments: Sequence[bytes]) -> LoaderSettings:
    return LoaderSettings(bundle=place, arguments=tuple(arguments), host_prefixes=HOST_PREFIXES)
