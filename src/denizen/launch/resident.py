"""Which programs get the resident, which answers for the libraries that they open (pure)."""

from __future__ import annotations

from denizen.launch.decisions.load_list import C_LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.linker import Closure

# What opens libraries, for programs and for those of their libraries that have plugins (dlfcn.h).
_OPENERS = frozenset({b"dlopen", b"dlmopen", b"__libc_dlopen_mode"})
# The first glibc whose auditing does not slow down calls (its bug 15533); DT_AUDIT it has known since 2.32.
_AUDITED = b"GLIBC_2.35"


def opens(closure: Closure) -> bool:
    """Tell whether the program or a library of its imports a function that opens libraries.

    The C library's own parts do, for name services and converters: what the host's configuration names is no
    concern of a program that opens nothing.
    """
    return any(
        not _OPENERS.isdisjoint(library.image.symbols.undefined_names)
        for library in closure.scope
        if library.image is not None and library.soname not in C_LIBRARY
    )


def is_audited(ldso: Image) -> bool:
    """Tell whether this dynamic linker lets a library audit at no cost to calls."""
    return any(definition.name == _AUDITED for definition in ldso.version_definitions)
