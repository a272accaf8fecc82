"""The programs by which packages have files started that are neither ELF nor scripts (pure).

On a Debian, binfmt-support registers with the kernel's binfmt_misc what packages declare in
/usr/share/binfmts: a JAR that may be executed is started by jarwrapper, a .NET assembly by mono. In an
environment nothing is registered with the kernel, so a decision names the program.
"""

from __future__ import annotations

from denizen.binfmt_misc import read_declaration
from denizen.elf.constants import MAGIC
from denizen.elf.script import BUFFER_SIZE
from denizen.fileview import FileKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.binfmt_misc import Handler
    from denizen.fileview import FileView

_DIRECTORY = b"/usr/share/binfmts"
# Debian has 40 such declarations in all.
_MOST = 256
_LARGEST = 1 << 16


def interpreter_in(view: FileView, program: bytes) -> bytes:
    """Return the path of what the packages start a program by; b"" where the kernel does, or nothing."""
    start = bytes(view.read(program)[:BUFFER_SIZE])
    if not start or start.startswith((MAGIC, b"#!")):
        return b""
    try:
        names = view.listdir(_DIRECTORY)[:_MOST]
    except OSError:
        return b""
    for name in sorted(names):
        handler = _declared(view, _DIRECTORY + b"/" + name)
        if handler is not None and handler.takes(program, start) and _is_there(view, handler.interpreter):
            return handler.interpreter
    return b""


def _declared(view: FileView, path: bytes) -> Handler | None:
    if view.stat(path).kind is not FileKind.FILE:
        return None
    return read_declaration(bytes(view.read(path)[:_LARGEST]))


def _is_there(view: FileView, path: bytes) -> bool:
    try:
        return bool(view.stat(path).mode & 0o111)
    except OSError:
        return False
