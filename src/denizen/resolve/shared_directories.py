"""Directories that many programs share, or that other users can write to (pure over a FileView).

What lies there beside a program came with something else, or was put there for the program to find: a browser
saves whatever a page sends into one of them. Shared are

    system directories and those that hold removable media or homes (`_SYSTEM`, `_ABOVE_SHARED`)
    homes: below /home, of the program's owner by /etc/passwd, and where `_MARKS` lie
    folders of a home: by user-dirs.dirs (XDG), by the custom of `_FOLDERS`, and ~/.local, which is a prefix
    directories called `_ANYWHERE`, and bin below what is shared
    directories that everybody may write to, and those of somebody else than root or the program's owner
"""

from __future__ import annotations

import posixpath
import re

from denizen.fileview import FileKind
from denizen.resolve.sysroot_view import is_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView, Stat

_SYSTEM = frozenset(
    b"/ /bin /home /lib /media /mnt /opt /root /run /sbin /srv /tmp /usr /usr/bin /usr/lib /usr/local "
    b"/usr/local/bin /usr/sbin /var /var/tmp".split(b" ")
)
_ABOVE_SHARED = (b"/home", b"/media", b"/mnt", b"/run/media")
_MARKS = (b".bashrc", b".profile", b".config/user-dirs.dirs", b".local/share")
_USER_DIRS = b".config/user-dirs.dirs"
# xdg-user-dirs(1): XDG_NAME_DIR="$HOME/yyy" or ="/yyy", shell-quoted.
_USER_DIR = re.compile(rb'^\s*XDG_[A-Z]+_DIR="(\$HOME/|/)([^"\n]*)"', re.MULTILINE)
_FOLDERS = frozenset(
    b"apps applications bin desktop documents download downloads music opt pictures programs public "
    b"software templates tmp videos .local".split(b" ")
)
# Subdirectories of a shared prefix that are shared too: ~/.local/bin, /opt/bin.
_COMMANDS = frozenset((b"bin", b"sbin"))
_ANYWHERE = frozenset((b"desktop", b"downloads"))
_WRITABLE_BY_ALL = 0o002
_ROOT = 0
MAX_TEXT = 1 << 20


class SharedDirectories:
    """The directories around one program, told apart by whether other programs or users put files there."""

    def __init__(self, view: FileView, program: bytes) -> None:
        """Look at directories for the owner of the file at `program`."""
        self._view = view
        try:
            self._owners = frozenset((_ROOT, view.stat(program).uid))
        except OSError:
            self._owners = frozenset((_ROOT,))
        self._homes: frozenset[bytes] | None = None
        self._shared: dict[bytes, bool] = {}

    def is_shared(self, directory: bytes) -> bool:
        """Return whether more than one program uses a directory; its path must be resolved."""
        if directory not in self._shared:
            self._shared[directory] = self._judge(directory)
        return self._shared[directory]

    def _judge(self, directory: bytes) -> bool:
        parent, name = posixpath.split(directory)
        if is_outside(directory) or directory in _SYSTEM or parent in _ABOVE_SHARED:
            return True
        if name.lower() in _ANYWHERE or not self._is_guarded_at(directory) or self._is_home(directory):
            return True
        if name in _COMMANDS and self.is_shared(parent):
            return True
        if self._is_home(parent) and (name.lower() in _FOLDERS or directory in self._folders_of(parent)):
            return True
        return any(directory in self._folders_of(home) for home in self._owners_homes())

    def is_guarded(self, facts: Stat) -> bool:
        """Return whether only root and the program's owner can have put a file or a name there."""
        return facts.uid in self._owners and not facts.mode & _WRITABLE_BY_ALL

    def _is_guarded_at(self, directory: bytes) -> bool:
        try:
            return self.is_guarded(self._view.stat(directory))
        except OSError:
            return False

    def _is_home(self, directory: bytes) -> bool:
        if directory == b"/root" or posixpath.dirname(directory) == b"/home":
            return True
        return directory in self._owners_homes() or any(self._has(directory, mark) for mark in _MARKS)

    def _has(self, directory: bytes, name: bytes) -> bool:
        try:
            return self._view.stat(posixpath.join(directory, name)).kind in (
                FileKind.FILE,
                FileKind.DIRECTORY,
            )
        except OSError:
            return False

    def _owners_homes(self) -> frozenset[bytes]:
        if self._homes is None:
            self._homes = frozenset(self._passwd())
        return self._homes

    def _passwd(self) -> Iterator[bytes]:
        """Yield the home directories of root and of the program's owner, from /etc/passwd.

        Its lines are name:x:uid:gid:gecos:home:shell (passwd(5)).
        """
        for line in self._text(b"/etc/passwd").splitlines():
            fields = line.split(b":")
            if (
                len(fields) > 5
                and fields[2].isdigit()
                and int(fields[2]) in self._owners
                and fields[5] != b"/"
            ):
                yield posixpath.normpath(fields[5])

    def _folders_of(self, home: bytes) -> frozenset[bytes]:
        found = _USER_DIR.findall(self._text(posixpath.join(home, _USER_DIRS)))
        return frozenset(
            posixpath.normpath(posixpath.join(home if start != b"/" else b"/", rest)) for start, rest in found
        )

    def _text(self, path: bytes) -> bytes:
        try:
            return bytes(self._view.read(path)[:MAX_TEXT])
        except OSError:
            return b""
