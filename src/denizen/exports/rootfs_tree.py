"""A root file system as a value: entries of packages and programs, each with its owner (pure).

Directories are shared. A path that leads through a link of the tree is where that leads (a package may have
usr/lib64/x where another has usr/lib64 as a link). Where two owners have one path, the files must be the
same; of links and of documents the first one's is taken.
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput
from denizen.fhs.host_etc import DEFAULT_GROUP, DEFAULT_PASSWD
from denizen.fileview import MAX_LINKS
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from denizen.formats.file_tree import Entry

# Owner of what belongs to no package: directories of every root, files that denizen writes.
SYSTEM = ""
# /bin and its like lead into /usr, as on every current distribution.
_MERGED = (b"bin", b"lib", b"lib64", b"sbin")
DIRECTORIES = (
    *(b"dev", b"etc", b"home", b"opt", b"proc", b"root", b"run", b"sys", b"tmp", b"usr", b"var", b"var/tmp"),
)
MODES: Mapping[bytes, int] = {b"tmp": 0o1777, b"var/tmp": 0o1777, b"root": 0o700}
USERS = {
    b"etc/passwd": DEFAULT_PASSWD,
    b"etc/group": DEFAULT_GROUP,
    b"etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\n",
}


class ExportConflict(BadInput):
    """The error that two parts of a root have different files at one path."""

    path: bytes
    one: str
    other: str
    WHAT = "{one:text} and {other:text} cannot be in one root"
    WHY = "both have /{path}, with different content"


class ImageLayer(Value):
    """A part of a root: its title, and its entries with the directories that they need, sorted by path."""

    title: str
    entries: tuple[Entry, ...]


class RootTree:
    """A root under construction."""

    def __init__(
        self, same: Callable[[File, File], bool], directories: Sequence[bytes] = DIRECTORIES
    ) -> None:
        """Begin with directories; `same` tells whether two files have one content."""
        self._same = same
        self._found: dict[bytes, tuple[Entry, str]] = {}
        for path in directories:
            self._found[path] = (Directory(path), SYSTEM)

    def __contains__(self, path: bytes) -> bool:
        return self._settled(path) in self._found

    def add(self, entry: Entry, owner: str) -> None:
        """Add an entry; directories that are missing above it are made. Raises ExportConflict."""
        if not entry.path:
            return
        above, _, name = entry.path.rpartition(b"/")
        directory = self._directory(self._settled(above) if above else b"", owner)
        path = posixpath.join(directory, name)
        known = self._found.get(path)
        if known is None:
            self._found[path] = (replace(entry, path=path), owner)
        elif not self._is_shared(entry, known[0]):
            raise ExportConflict(path, known[1] or "the root itself", owner or "the root itself")

    def write(self, path: bytes, content: bytes) -> None:
        """Add a file of the system's, unless there is one."""
        if path not in self:
            self.add(File(path, executable=False, size=len(content), content=(content,)), SYSTEM)

    def link(self, path: bytes, target: bytes) -> None:
        """Add a link of the system's, unless there is something."""
        if path not in self:
            self.add(Symlink(path, target), SYSTEM)

    def complete(self) -> None:
        """Add what every root has: users, and the links to what lies in /usr."""
        for path, content in USERS.items():
            self.write(path, content)
        for name in _MERGED:
            if name not in self and b"usr/" + name in self:
                self.link(name, b"usr/" + name)

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, sorted by path, so that directories come before their content."""
        for path in sorted(self._found, key=_by_parts):
            yield self._found[path][0]

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each owner's files, owners in the order in which they came."""
        found: dict[str, int] = {}
        for entry, owner in self._found.values():
            found[owner] = found.get(owner, 0) + (entry.size if isinstance(entry, File) else 0)
        return found

    def layers(self, groups: Sequence[tuple[str, ...]]) -> list[ImageLayer]:
        """Return the layers of groups of owners; the system's own entries are in the last."""
        of_group = {owner: number for number, group in enumerate(groups) for owner in group}
        paths: list[set[bytes]] = [set() for _ in groups]
        for path, (_, owner) in self._found.items():
            paths[of_group.get(owner, len(groups) - 1)].add(path)
        titles = [", ".join(name for name in group if name) or "the root itself" for group in groups]
        return [
            ImageLayer(title, tuple(self._whole(some))) for title, some in zip(titles, paths, strict=True)
        ]

    def _whole(self, paths: set[bytes]) -> Iterator[Entry]:
        """Yield the entries at the paths, and the directories above them."""
        wanted = set(paths)
        for path in paths:
            while (path := posixpath.dirname(path)) and path not in wanted:
                wanted.add(path)
        for path in sorted(wanted, key=_by_parts):
            yield self._found[path][0]

    def _directory(self, path: bytes, owner: str) -> bytes:
        """Return the path of a directory, made with those above it where it is missing."""
        known = self._found.get(path)
        if not path or (known and isinstance(known[0], Directory)):
            return path
        if known is not None:
            raise ExportConflict(path, known[1] or "the root itself", owner or "the root itself")
        self._directory(posixpath.dirname(path), owner)
        self._found[path] = (Directory(path), owner)
        return path

    def _is_shared(self, entry: Entry, known: Entry) -> bool:
        if isinstance(known, Symlink) and isinstance(entry, Directory):
            return True  # what is in it goes where the link leads
        if isinstance(known, File) and isinstance(entry, File):
            return entry.path.startswith(b"usr/share/doc/") or self._same(known, entry)
        return type(known) is type(entry)

    def _settled(self, path: bytes) -> bytes:
        """Return a path with the links of the tree on the way followed; as it is where they lead out."""
        done: list[bytes] = []
        left, links = path.split(b"/"), 0
        while left:
            done.append(left.pop(0))
            known = self._found.get(b"/".join(done))
            if known is None or not isinstance(known[0], Symlink):
                continue
            links += 1
            target = posixpath.normpath(posixpath.join(b"/", *done[:-1], known[0].target)).lstrip(b"/")
            if links > MAX_LINKS:
                return path
            done, left = [], [*target.split(b"/"), *left]
        return b"/".join(done)


def _by_parts(path: bytes) -> list[bytes]:
    return path.split(b"/")
