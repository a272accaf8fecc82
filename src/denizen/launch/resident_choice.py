"""The choice of programs that get libraries which answer while they run: for dlopen, and for exec.

Pure over a FileView.
"""

from __future__ import annotations

import contextlib
import posixpath

from denizen.errors import BadInput
from denizen.launch.decisions.ldso_addresses import r_debug_of
from denizen.launch.decisions.static_tls import room_edits
from denizen.linker.c_library import C_LIBRARY
from denizen.linker.ldcache import open_cache
from denizen.machines import cache_flags
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.elf import Header, Image
    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision, Edit
    from denizen.linker import Closure, Interpreter

# Functions that open libraries (dlfcn.h).
_OPENERS = frozenset({b"dlopen", b"dlmopen", b"__libc_dlopen_mode"})
# unistd.h, spawn.h, stdlib.h, stdio.h.
EXECUTORS = frozenset(
    {b"execve", b"execv", b"execvp", b"execvpe", b"execl", b"execlp", b"execle", b"fexecve", b"execveat"}
    | {b"posix_spawn", b"posix_spawnp", b"pidfd_spawn", b"pidfd_spawnp", b"system", b"popen"}
)
# The first glibc whose auditing does not slow down calls (glibc bug 15533); DT_AUDIT works since 2.32.
_AUDITED = b"GLIBC_2.35"


def opens(closure: Closure) -> bool:
    """Tell whether the program or one of its libraries imports a function that opens libraries.

    The C library itself does, for name services and converters, and is not counted: which of those the host
    configures does not matter for a program that opens nothing.
    """
    return _imports(closure, _OPENERS)


def executes(closure: Closure) -> bool:
    """Tell whether the program or one of its libraries imports a function that starts programs."""
    return _imports(closure, EXECUTORS)


def _imports(closure: Closure, functions: frozenset[bytes]) -> bool:
    return any(
        not functions.isdisjoint(library.image.symbols.undefined_names)
        for library in closure.scope
        if library.image is not None and library.soname not in C_LIBRARY
    )


def system_directories(view: FileView, linker: Interpreter, header: Header) -> tuple[bytes, ...]:
    """Return the directories in which a dynamic linker finds a host's libraries for one kind of file.

    Those of its cache are counted whose entries are for that kind.
    """
    kind = cache_flags(header.machine, header.bits, little=header.little)
    found = dict.fromkeys(path.rstrip(b"/") for path in linker.system_directories)
    with contextlib.suppress(OSError, BadInput):
        cache = open_cache(view.read(linker.cache), little=header.little)
        found |= dict.fromkeys(posixpath.dirname(one.path) for one in cache.entries() if one.flags == kind)
    return tuple(found)


def with_answers(
    decision: Decision, closure: Closure, ldso: Image, directory: Callable[[], bytes]
) -> Decision:
    """Return a decision without libraries of packages by which the program gets the libraries that answer.

    Args:
        decision: of the program, which starts with the libraries of a host or an environment.
        closure: the program with these libraries.
        ldso: its dynamic linker.
        directory: makes the directory for what the program opens, and returns its path; b"" if there is to be
            none. It is called for a program that opens libraries, with a linker that takes the resident.
    """
    decision = replace(decision, executes=executes(closure))
    edits = audit_edits(ldso, closure) if opens(closure) else None
    opened = directory() if edits is not None else b""
    if edits is None or not opened:
        return decision
    return replace(decision, opened=opened, r_debug=r_debug_of(ldso), edits=edits)


def audit_edits(ldso: Image, closure: Closure) -> tuple[Edit, ...] | None:
    """Return the edits of a dynamic linker that loads an audit library for a closure; None if it cannot.

    It can if that does not slow down calls, and the closure's libraries have room for their static TLS.
    """
    known = any(definition.name == _AUDITED for definition in ldso.version_definitions)
    return room_edits(ldso, closure.images) if known else None
