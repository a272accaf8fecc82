"""The choice of programs that get the resident, a library that answers dlopen of missing libraries (pure)."""

from __future__ import annotations

from denizen.launch.decisions.load_list import C_LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.linker import Closure

# Functions that open libraries (dlfcn.h).
_OPENERS = frozenset({b"dlopen", b"dlmopen", b"__libc_dlopen_mode"})
# The first glibc whose auditing does not slow down calls (glibc bug 15533); DT_AUDIT works since 2.32.
_AUDITED = b"GLIBC_2.35"


def opens(closure: Closure) -> bool:
    """Tell whether the program or one of its libraries imports a function that opens libraries.

    The C library itself does, for name services and converters, and is not counted: which of those the host
    configures does not matter for a program that opens nothing.
    """
    return any(
        not _OPENERS.isdisjoint(library.image.symbols.undefined_names)
        for library in closure.scope
        if library.image is not None and library.soname not in C_LIBRARY
    )


def is_audited(ldso: Image) -> bool:
    """Tell whether this dynamic linker supports an audit library that does not slow down calls."""
    return any(definition.name == _AUDITED for definition in ldso.version_definitions)
