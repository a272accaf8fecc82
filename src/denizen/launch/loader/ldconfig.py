"""The settings of denizen-ldconfig, which lists for one program the libraries that it can open (pure).

Python's `ctypes.util.find_library` runs `/sbin/ldconfig -p` and opens nothing that the output lacks. The
settings lie in the program's file, in the block that loaders have (docs/formats/loader-config.md).
"""

from __future__ import annotations

from denizen.launch.loader.loader_settings import with_settings
from denizen.value import Value

# glibc's elf/dl-cache.c and sysdeps/**/dl-cache.h: what ldconfig prints for the flags of a library.
_KINDS = {
    0x303: b"libc6,x86-64",
    0x803: b"libc6,x32",
    0xA03: b"libc6,AArch64",
    0x903: b"libc6,hard-float",
    0xB03: b"libc6,soft-float",
    0x1003: b"libc6,double-float",
    0x503: b"libc6,64bit",
    0x403: b"libc6,64bit",
    0x703: b"libc6,64bit",
    0x103: b"libc6,64bit",
}
PATH = b"/sbin/ldconfig"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Header


class ListingSettings(Value):
    """The settings of denizen-ldconfig for one program.

    Attributes:
        directories: of links to the program's libraries; the first also has the links to indexes.
        kind: the libraries' kind as ldconfig prints it.
        kept_out: names that the indexes have and that are not brought; a * at the end stands for any text.
        real: where the host's own ldconfig is; b"" where it has none.
    """

    directories: tuple[bytes, ...]
    kind: bytes
    kept_out: tuple[bytes, ...] = ()
    real: bytes = b""


def configure_ldconfig(binary: bytes, settings: ListingSettings) -> bytes:
    """Return the bytes of denizen-ldconfig with these settings. Raises NotALoader, SettingsTooLong."""
    texts = [
        *((b"d", text) for text in settings.directories if text),
        (b"t", settings.kind),
        *((b"x", text) for text in settings.kept_out),
        *((b"h", text) for text in [settings.real] if text),
    ]
    return with_settings(binary, texts)


def kind_printed(header: Header) -> bytes:
    """Return what ldconfig prints for libraries of a program's kind."""
    from denizen.machines import cache_flags

    flags = cache_flags(header.machine, header.bits, little=header.little)
    return _KINDS.get(flags, b"libc6")
