"""The launcher of a bundle: the compiled loader with an image behind it, or for files beside it (pure)."""

from __future__ import annotations

import hashlib
import struct

from denizen.bytesio import align_up
from denizen.launch.loader.loader_settings import HOST_PREFIXES, LoaderSettings, configure_loader
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
# e_shoff; e_shentsize, e_shnum, e_shstrndx of a 64-bit header; a section header.
_SECTIONS_AT, _SECTION_COUNT = struct.Struct("<Q"), struct.Struct("<3H")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
# Sections that updaters and who signs write into, by their names in AppImages, with the sizes that
# appimagetool's runtime has. They lie before the index: its hash is not about them. loader/unpack/appimage.c
# knows the places of the first two.
_TOOL_SECTIONS = ((b".upd_info", 1024), (b".sha256_sig", 1024), (b".sig_key", 8192), (b".digest_md5", 16))
_TOOL_ROOM = 12288
_DIGEST_SIZE = 16
_PROGBITS, _STRTAB = 1, 3


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


def appimage_with(
    binary: bytes, index: bytes, squashfs: bytes, arguments: Sequence[bytes] = (), update: bytes = b""
) -> bytes:
    """Return the launcher as an AppImage's runtime, with a SquashFS image behind it, and the index of that.

    `index` is an image of a bundle whose blocks lie in the other (formats.bundle_image.encode_over); `update`
    is the update information. By the specification a runtime is an ELF file that ends with its section
    headers, where the other image begins: they take the last bytes of the index, which are zeros.
    """
    tools_at = align_up(len(binary), ALIGNMENT)
    offset = tools_at + _TOOL_ROOM
    end = offset + len(index)
    contents, headers = _tool_sections(tools_at, update)
    whole = index[: -len(headers)] + headers
    settings = replace(_settings(_place(offset, whole + squashfs), arguments), appimage=b"%d" % end)
    runtime = bytearray(configure_loader(binary, settings).ljust(tools_at, b"\0") + contents)
    runtime[_MARK_AT : _MARK_AT + len(_MARK)] = _MARK
    _SECTIONS_AT.pack_into(runtime, 0x28, end - len(headers))
    count = len(_TOOL_SECTIONS) + 2
    _SECTION_COUNT.pack_into(runtime, 0x3A, _SECTION_HEADER.size, count, count - 1)
    digest_at = tools_at + sum(size for _, size in _TOOL_SECTIONS[:-1])
    parts = (whole, squashfs, bytes(_SLACK))
    runtime[digest_at : digest_at + _DIGEST_SIZE] = _digest((runtime, *parts))
    return b"".join((runtime, *parts))


def _digest(parts: Sequence[bytes | bytearray]) -> bytes:
    """Return what tells one AppImage from another: the MD5 of the file while it has no digest or signature.

    AppImageLauncher names what it installs by it; no one relies on it being hard to forge.
    """
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _tool_sections(at: int, update: bytes) -> tuple[bytes, bytes]:
    """Return the content of the sections for tools, which is to lie at an offset, and all section headers."""
    names = b"\0" + b"".join(name + b"\0" for name, _ in _TOOL_SECTIONS) + b".shstrtab\0"
    headers = [bytes(_SECTION_HEADER.size)]
    place = at
    for name, size in _TOOL_SECTIONS:
        headers.append(_section_header(names.index(name + b"\0"), _PROGBITS, place, size))
        place += size
    headers.append(_section_header(names.index(b".shstrtab"), _STRTAB, place, len(names)))
    content = update.ljust(place - at, b"\0") + names
    return content.ljust(_TOOL_ROOM, b"\0"), b"".join(headers)


def _section_header(name: int, kind: int, at: int, size: int) -> bytes:
    return _SECTION_HEADER.pack(name, kind, 0, 0, at, size, 0, 0, 1, 0)


def _place(offset: int, image: bytes) -> bytes:
    return b"%x-%x-%b" % (offset, len(image), hashlib.sha256(image).hexdigest().encode("ascii"))


def _settings(place: bytes, arguments: Sequence[bytes]) -> LoaderSettings:
    return LoaderSettings(bundle=place, arguments=tuple(arguments), host_prefixes=HOST_PREFIXES)
