"""The compiled programs that this user's decisions name: configured, and at paths that do not change.

They lie in `tools/` below the state directory and are named by their content, so that a decision that names
one stays valid when denizen is upgraded or removed.
"""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.disk import make_directories, write_atomically
from denizen.launch.loader.binaries import (
    LoaderAbsent,
    attach_binary,
    enter_binary,
    exec_binary,
    inside_binary,
    ldconfig_binary,
    loader_binary,
    resident_binary,
)
from denizen.launch.loader.loader_settings import configure_loader
from denizen.sha256 import hex_digest_of
from denizen.store.errors import doing
from denizen.trust import lets_through
from denizen.value import Value

# Other users can open files whose names they know, but not list the directory.
_MODE = 0o711
# Root's own directories may be closed to others (as /root is): programs that began as root and changed
# user find nothing there.
# The directory has only empty files.
_PUBLIC = b"/var/lib/denizen"
# The digests of the contents that this process named tools by.
_digests: dict[bytes, bytes] = {}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.loader.ldconfig import ListingSettings
    from denizen.launch.loader.loader_settings import LoaderSettings


class Tools(Value):
    """The directory of the compiled programs, and their machine (as `uname -m` has it)."""

    directory: bytes
    machine: str

    def loader(self, settings: LoaderSettings) -> bytes:
        """Return the path of a loader with these settings. Raises LoaderAbsent, DiskFailed."""
        return self._placed(b"denizen-loader", configure_loader(loader_binary(self.machine), settings))

    def certificates(self, content: bytes) -> bytes:
        """Return the path of a file with these certificates. Raises DiskFailed."""
        return self._placed(b"certificates", content)

    def text(self, content: bytes) -> bytes:
        """Return the path of a configuration file with this content. Raises DiskFailed."""
        return self._placed(b"text", content)

    def stand_in(self, settings: LoaderSettings, name: bytes) -> bytes:
        """Return the path of a loader in the place of a command, by the command's name.

        By /proc/self/exe it knows its name: what is bound somewhere has the name of that place, and a script
        of which it is the interpreter has it called by the script's name. Raises LoaderAbsent, DiskFailed.
        """
        loader = self.loader(settings)
        directory = os.path.join(
            self.directory, b"commands" + os.path.basename(loader).removeprefix(b"denizen-loader")
        )
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            with doing("write in", self.directory):
                make_directories(directory, _MODE)
                with contextlib.suppress(FileExistsError):
                    os.link(loader, path)
        return path

    def attach(self) -> bytes:
        """Return the path of `denizen-attach`. Raises LoaderAbsent, DiskFailed."""
        return self._placed(b"denizen-attach", attach_binary(self.machine))

    def enter(self) -> bytes:
        """Return the path of `denizen-enter`. Raises LoaderAbsent, DiskFailed."""
        return self._placed(b"denizen-enter", enter_binary(self.machine))

    def inside(self) -> bytes:
        """Return the path of denizen-inside, for programs whose file the kernel does not know.

        Raises LoaderAbsent, DiskFailed.
        """
        return self._placed(b"denizen-inside", inside_binary(self.machine))

    def exec_library(self) -> bytes:
        """Return the path of the library that answers exec of what the kernel cannot start, b"" for none.

        Raises DiskFailed.
        """
        try:
            return self._placed(b"denizen-exec", exec_binary(self.machine))
        except LoaderAbsent:
            return b""

    def resident(self) -> bytes:
        """Return the path of the library that answers dlopen of missing libraries, b"" for none.

        Raises OSError.
        """
        try:
            return self._placed(b"denizen-resident", resident_binary(self.machine))
        except LoaderAbsent:
            return b""

    def ldconfig(self, settings: ListingSettings, directory: bytes) -> bytes:
        """Write denizen-ldconfig with these settings into a directory; return its path.

        Raises LoaderAbsent, DiskFailed.
        """
        from denizen.launch.loader.ldconfig import configure_ldconfig

        content = configure_ldconfig(ldconfig_binary(self.machine), settings)
        path = os.path.join(directory, b".ldconfig")
        if not _holds(path, content):  # a full disk need not keep a decided program from its start
            with doing("write in", directory):
                write_atomically(path, content, mode=0o755)
        return path

    def hidden(self, linker: bytes) -> bytes:
        """Return the path of an empty file over which a dynamic linker of the host is bound.

        Each linker has its own.
        """
        digest = hex_digest_of(linker)[:8].encode("ascii")
        with doing("write in", self.directory):
            path = os.path.join(self._reachable(), b"host-%b-%b" % (digest, os.path.basename(linker)))
            if not os.path.exists(path):
                write_atomically(path, b"", mode=0o755)
        return path

    def _reachable(self) -> bytes:
        """Return a directory that a program can reach after it gave up root's rights."""
        make_directories(self.directory, _MODE)
        if os.geteuid() != 0 or lets_through(self.directory):
            return self.directory
        with contextlib.suppress(OSError):  # root in a namespace alone, or a read-only system
            make_directories(_PUBLIC)
            facts = os.stat(_PUBLIC)
            if facts.st_uid == 0 and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return _PUBLIC
        return self.directory

    def stage(self) -> bytes:
        """Return the path of an empty directory over which a file system can be mounted."""
        path = os.path.join(self.directory, b"stage")
        with doing("write in", self.directory):
            make_directories(path, 0o700)
        return path

    def _placed(self, stem: bytes, content: bytes) -> bytes:
        path = os.path.join(self.directory, b"%b-%b" % (stem, _digest(content)))
        if not os.path.exists(path):
            with doing("write in", self.directory):
                make_directories(self.directory, _MODE)
                write_atomically(path, content, mode=0o755)
        return path


def _digest(content: bytes) -> bytes:
    """Return the digest in a tool's name. One decision asks for a dozen tools forty times, 0.1 ms each."""
    known = _digests.get(content)
    if known is None:
        known = _digests[content] = hex_digest_of(content)[:16].encode("ascii")
    return known


def _holds(path: bytes, content: bytes) -> bool:
    """Return whether the file is there with this content."""
    try:
        with open(path, "rb") as stream:
            return stream.read(len(content) + 1) == content
    except OSError:
        return False
