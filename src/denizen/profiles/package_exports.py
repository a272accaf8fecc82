"""The exports of a package into a profile: its commands and its data (pure over a FileView).

Commands are the programs in the directories of PATH, those that the package's alternatives would name
(vim.basic as vi), and those of directories that a package's script exposes there (a Java's). Data is what
lies below /usr/share, which desktops and shells find by XDG_DATA_DIRS; units of systemd's user instance are
moved there, where it looks too (systemd.unit(5)).
"""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase

from denizen.fileview import FileKind
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fhs.alternatives import Alternative
    from denizen.fhs.trigger_rules import Expose
    from denizen.fileview import FileView

# In the order of PATH; a name in the first counts.
_DIRECTORIES = (b"usr/bin", b"usr/sbin", b"usr/games", b"bin", b"sbin")
# (directory in the package, directory in the profile).
DATA = (
    (b"usr/share", b"share"),
    (b"usr/lib/systemd/user", b"share/systemd/user"),
)
# Files whose programs are named by path, below a package: (directory, directory in the profile, suffix).
TEXTS = (
    (b"usr/share/applications", b"share/applications", b".desktop"),
    (b"usr/share/dbus-1/services", b"share/dbus-1/services", b".service"),
    (b"usr/lib/systemd/user", b"share/systemd/user", b".service"),
)
_MAX_TEXTS = 4096


class ExportedCommand(Value):
    """A command: its name and the program's path in the package, relative."""

    name: bytes
    inside: bytes


def commands_in(
    view: FileView, alternatives: Sequence[Alternative] = (), rules: Sequence[Expose] = ()
) -> tuple[ExportedCommand, ...]:
    """Return a package's commands, sorted by name; `rules` are those of triggers.toml."""
    found: dict[bytes, bytes] = {}
    for directory in _DIRECTORIES:
        for name in _names(view, directory):
            path = directory + b"/" + name
            if name not in found and is_program(view, path):
                found[name] = path
    for name, path in _alternative_names(alternatives):
        inside = path.lstrip(b"/")
        inside = b"usr/" + inside if inside.startswith((b"bin/", b"sbin/")) else inside
        if name not in found and is_program(view, inside):
            found[name] = inside
    for name, path in _exposed_names(view, rules):
        if name not in found and is_program(view, path):
            found[name] = path
    return tuple(ExportedCommand(name, found[name]) for name in sorted(found))


def is_program(view: FileView, path: bytes) -> bool:
    """Tell whether a file may be executed.

    A link that leads out of the package (gcc to gcc-14) may be one.
    """
    if b"\t" in path or b"\n" in path:
        return False  # it could not be written in a derivation's table
    try:
        facts = view.lstat(b"/" + path)
        if facts.kind is FileKind.SYMLINK and not leads_out(view, path):
            facts = view.stat(b"/" + path)
    except OSError:
        return False
    if facts.kind is FileKind.SYMLINK:
        return True
    return facts.kind is FileKind.FILE and bool(facts.mode & 0o111)


def leads_out(view: FileView, path: bytes) -> bool:
    """Tell whether a command is a link to a file that its package does not have."""
    try:
        view.stat(b"/" + path)
    except OSError:
        return True
    return False


def data_in(view: FileView) -> tuple[tuple[bytes, bytes], ...]:
    """Return the directories with data: (path in the package, path in the profile)."""
    return tuple(row for row in DATA if _names(view, row[0]))


def texts_in(view: FileView) -> Iterator[tuple[bytes, bytes]]:
    """Yield the files whose programs are named by path: (path in the package, path in the profile)."""
    count = 0
    for directory, outside, suffix in TEXTS:
        for name in _names(view, directory):
            path = directory + b"/" + name
            if name.endswith(suffix) and count < _MAX_TEXTS and view.lstat(b"/" + path).kind is FileKind.FILE:
                count += 1
                yield path, outside + b"/" + name


def _alternative_names(alternatives: Sequence[Alternative]) -> Iterator[tuple[bytes, bytes]]:
    for one in alternatives:
        for link, path in ((one.link, one.path), *((slave[0], slave[2]) for slave in one.slaves)):
            if posixpath.dirname(link).lstrip(b"/") in _DIRECTORIES:
                yield posixpath.basename(link), path


def _exposed_names(view: FileView, rules: Sequence[Expose]) -> Iterator[tuple[bytes, bytes]]:
    for rule in rules:
        if rule.into.encode() in _DIRECTORIES:
            for path in _matching(view, b"", rule.of.encode().split(b"/")):
                yield posixpath.basename(path), path


def _matching(view: FileView, directory: bytes, pattern: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the paths below a directory that a pattern's parts match; `*` stands for any part of a name."""
    for name in _names(view, directory):
        if fnmatchcase(name, pattern[0]):
            path = directory + b"/" + name if directory else name
            yield from _matching(view, path, pattern[1:]) if pattern[1:] else (path,)


def _names(view: FileView, directory: bytes) -> tuple[bytes, ...]:
    try:
        return view.listdir(b"/" + directory)
    except OSError:
        return ()
