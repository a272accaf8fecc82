"""The need of a package's commands for an environment around them, where libraries do not suffice (pure).

A program that finds its libraries may still want files by their paths: a script its interpreter, git its
/usr/lib/git-core, nano its /etc/nanorc. Whatever a package depends on besides libraries is such a need, and
so is each path in a program that names a file of its own package. To be in an environment is never wrong, and
costs half a millisecond at each start and some seconds once; to be outside is, where a file is missing.
"""

from __future__ import annotations

import posixpath
import re

from denizen.elf.constants import MAGIC
from denizen.elf.script import BUFFER_SIZE, parse_script
from denizen.errors import BadInput, display
from denizen.fileview import FileKind
from denizen.profiles.package_exports import leads_out
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fhs.package_closure import EnvironmentPackage
    from denizen.fileview import FileView
    from denizen.profiles.package_exports import ExportedCommand

# Dependencies for maintainer scripts, which are not run; what they in turn depend on does not count.
_FOR_SCRIPTS = frozenset(
    {
        b"debconf", b"cdebconf", b"dpkg", b"adduser", b"init-system-helpers", b"lsb-base", b"sysvinit-utils",
        b"ucf", b"install-info", b"passwd", b"base-files", b"base-passwd", b"libc-bin",
    }
)  # fmt: skip
# A shared library's package is named after the soname, version included (Policy 8.1).
_LIBRARY = re.compile(rb"(lib.*[0-9].*|zlib1g|gcc-[0-9]+-base)\Z")
_FILES_OF_LIBRARY = (b"-data", b"-common", b"-bin", b"-utils", b"-tools", b"-plugins", b"-modules", b"-dev")
_PATH = re.compile(rb"/(?:usr|etc|opt|var)/[A-Za-z0-9_+.,/@-]{2,200}")
# Bytes of a program that are searched for paths, and paths that are looked up.
MAX_SCANNED = 256 << 20
_MAX_PATHS = 20_000
# Directories that any package has, or whose absence changes no more than a language.
_COMMON = re.compile(
    rb"/(usr|etc|opt|var|usr/(s?bin|games|lib|libexec|share|include|local|src)(/[a-z0-9_]+-linux-gnu[a-z0-9]*)?|"
    rb"usr/share/(doc|man|info|locale|zoneinfo|terminfo|bash-completion|applications|icons|pixmaps|mime|fonts)"
    rb"(/.*)?|etc/(default|init.d|xdg))\Z"
)


class ExportingPackage(Value):
    """A package whose commands are exported: a view of its own tree as /, and the commands."""

    view: FileView
    commands: tuple[ExportedCommand, ...]


def environment_reasons(
    packages: Sequence[ExportingPackage], dependencies: Sequence[EnvironmentPackage]
) -> dict[bytes, str]:
    """Return for each command for which libraries do not suffice the reason.

    `dependencies` is the closure of the packages, itself included.
    """
    beyond = beyond_libraries(dependencies)
    for_all = f"it depends on {display(beyond)}, which is not a library" if beyond else ""
    return {
        command.name: reason
        for package in packages
        for command in package.commands
        if (reason := for_all or _need_of(package.view, command))
    }


def interpreters_of(packages: Sequence[ExportingPackage]) -> tuple[bytes, ...]:
    """Return the names of the commands that the packages' scripts name in their first lines, sorted."""
    found = set()
    for package in packages:
        for command in package.commands:
            if not leads_out(package.view, command.inside):
                found.add(_interpreter(bytes(package.view.read(b"/" + command.inside)[:BUFFER_SIZE])))
    return tuple(sorted(found - {b""}))


def _interpreter(head: bytes) -> bytes:
    try:
        script = parse_script(head)
    except BadInput:
        return b""
    if script is None:
        return b""
    program = script.env.program if script.env is not None else script.interpreter
    return posixpath.basename(program or b"")


def beyond_libraries(closure: Sequence[EnvironmentPackage]) -> bytes:
    """Return the first package of a closure that is not a library; b"" for none.

    The packages that the user asked for are not looked at.
    """
    ignored: set[bytes] = set()
    for member in closure:
        name = member.package.package
        if name in _FOR_SCRIPTS or member.asker in ignored:
            ignored.add(name)
        elif member.asker is not None and not _is_library(name):
            return name
    return b""


def _is_library(name: bytes) -> bool:
    return _LIBRARY.match(name) is not None and not name.endswith(_FILES_OF_LIBRARY)


def _need_of(view: FileView, command: ExportedCommand) -> str:
    if leads_out(view, command.inside):
        return f"{display(command.name)} is a link to a file of another package"
    content = view.read(b"/" + command.inside)
    if bytes(content[:4]) != MAGIC:
        return f"{display(command.name)} is a script"
    found = dict.fromkeys(match.group() for match in _PATH.finditer(memoryview(content)[:MAX_SCANNED]))
    for path in list(found)[:_MAX_PATHS]:
        if _COMMON.match(path.rstrip(b"/")) is None and _has(view, path):
            return f"{display(command.name)} names {display(path)}, a file of its package"
    return ""


def _has(view: FileView, path: bytes) -> bool:
    try:
        return view.lstat(path).kind in (FileKind.FILE, FileKind.DIRECTORY, FileKind.SYMLINK)
    except OSError:
        return False
