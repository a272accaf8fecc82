"""Check the members of an untrusted archive, and turn them into entries of a safe file tree (pure).

The archive may be hostile. The entries are safe to write with plain system calls into an empty
directory, because every name was checked against all names before it:

| in the archive | becomes |
|---|---|
| `./a//b/` | `a/b`; a directory without a member of its own gets an entry before its content |
| an absolute name, a `..`, a name or path the kernel would not take | refused |
| a path of more than `MAX_DEPTH` directories | refused |
| a name inside a link or a file of the archive | refused: the link may lead outside |
| a name twice | refused, except of two directories |
| set-user-ID, set-group-ID, sticky, owner, times | dropped; of the mode only the owner's execute bit counts |
| a device, a pipe | refused |
| a hard link | `HardLink` to a file that came before; to a link, that link again; else refused |
| a relative link whose text leads above the top | refused |
| another relative link | kept as written |
| an absolute link to a path in the archive, or below a link of it | made relative: the tree lies elsewhere |
| another absolute link (/etc/alternatives/..., another package) | kept: it means the root it is used in |

With `Layout.USR_MERGED`, /bin, /sbin and /lib* are moved below /usr as the merge does to a whole system
(Debian's usrmerge; dpkg's aliased directories), and links are rewritten to lead where they led;
a link that would lead to itself, such as a compatibility link from /lib/x to /usr/lib/x, is left out.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.fileview import USR_MERGED
from denizen.formats.entry_name import is_entry_name
from denizen.formats.file_tree import MAX_PATH, Directory, File, HardLink, Symlink, is_target
from denizen.formats.tar import MemberKind
from denizen.value import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.formats.file_tree import ArchiveEntry
    from denizen.formats.tar import TarMember

# All names are kept in memory. Among Debian's largest is papirus-icon-theme: 116,000 members, 7 MB of names.
MAX_ENTRIES = 1_000_000
MAX_NAME_BYTES = 128 * 1024 * 1024
# Directories inside one another; Debian's deepest have under 30. The directory entries of a new path cost its
# depth times its length: without a bound a name of 4,095 bytes costs 4 MB of copies.
MAX_DEPTH = 128


class Layout(Enum):
    """The place of the files of /bin, /sbin and /lib* in the tree."""

    AS_PACKAGED = "as-packaged"
    USR_MERGED = "usr-merged"


class UnsafeMember(BadInput):
    """A member of an archive is unsafe to unpack, or malformed."""

    name: bytes
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"the archive's '{display(self.name[:400])}' is refused"


def entries(members: Iterable[TarMember], layout: Layout = Layout.AS_PACKAGED) -> Iterator[ArchiveEntry]:
    """Yield the archive as a tree; directories come before their content, absolute links last.

    Raises:
        UnsafeMember: a member breaks a rule above.
    """
    return _Unpacking(layout).entries(members)


class _Unpacking:
    """The names read so far, with their kinds and link targets."""

    __slots__ = ("_absolute", "_kinds", "_layout", "_name_bytes", "_parents", "_targets")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._name_bytes = 0
        self._kinds: dict[bytes, MemberKind] = {b"": MemberKind.DIRECTORY}
        self._targets: dict[bytes, bytes] = {}
        self._absolute: list[tuple[bytes, bytes]] = []
        # Cache: the directory part of a name -> its cleaned path.
        self._parents: dict[bytes, bytes] = {}

    def entries(self, members: Iterable[TarMember]) -> Iterator[ArchiveEntry]:
        yield Directory(b"")
        for member in members:
            name = self._clean(member.name, member)
            path = self._place(name)
            if member.kind is MemberKind.SYMLINK:
                yield from self._symlink(name, path, member)
            elif path or member.kind is not MemberKind.DIRECTORY:
                yield from self._other(path, member)
            self._count(member)
        for path, target in self._absolute:
            yield Symlink(path, self._inward(path, target))

    def _count(self, member: TarMember) -> None:
        self._name_bytes += len(member.name) + len(member.target)
        self._bound(member)

    def _bound(self, member: TarMember) -> None:
        if len(self._kinds) > MAX_ENTRIES or self._name_bytes > MAX_NAME_BYTES:
            raise UnsafeMember(
                member.name, f"the archive has over {MAX_ENTRIES} members or {MAX_NAME_BYTES} bytes of names"
            )

    def _other(self, path: bytes, member: TarMember) -> Iterator[ArchiveEntry]:
        if member.kind is MemberKind.DIRECTORY:
            yield from self._directories(path, member)
        elif member.kind is MemberKind.FILE:
            yield from self._directories(path.rpartition(b"/")[0], member)
            self._add(path, member)
            yield File(path, bool(member.mode & 0o100), member.size, member.content)
        elif member.kind is MemberKind.HARD_LINK:
            yield from self._hard_link(path, member)
        else:
            raise UnsafeMember(member.name, f"{member.kind.value} has no place in a package")

    def _hard_link(self, path: bytes, member: TarMember) -> Iterator[ArchiveEntry]:
        existing = self._place(self._clean(member.target, member))
        kind = self._kinds.get(existing)
        if kind is MemberKind.SYMLINK:
            target = self._targets[existing]
            yield from self._symlink_to(path, target, member)
            return
        if kind is not MemberKind.FILE:
            raise UnsafeMember(
                member.name, f"it is a hard link to '{display(member.target)}', which is no file before it"
            )
        yield from self._directories(path.rpartition(b"/")[0], member)
        self._add(path, member)
        self._kinds[path] = MemberKind.FILE
        yield HardLink(path, existing)

    def _symlink(self, name: bytes, path: bytes, member: TarMember) -> Iterator[ArchiveEntry]:
        target = member.target
        if not is_target(target):
            raise UnsafeMember(member.name, "it is a link that leads nowhere the kernel could go")
        if self._layout is Layout.USR_MERGED:
            target = self._merged_target(name, path, member)
        yield from self._symlink_to(path, target, member)

    def _symlink_to(self, path: bytes, target: bytes, member: TarMember) -> Iterator[ArchiveEntry]:
        leads_to = lexical(path, target)
        if leads_to is None:
            raise UnsafeMember(member.name, f"it is a link to '{display(target)}', outside the package")
        if leads_to == path and self._layout is Layout.USR_MERGED:
            # After the merge the link and its target are the same path: /lib -> usr/lib.
            if self._kinds.get(path) is None and path.rpartition(b"/")[2] in USR_MERGED:
                yield from self._directories(path, member)
            return
        yield from self._directories(path.rpartition(b"/")[0], member)
        self._add(path, member)
        self._kinds[path] = MemberKind.SYMLINK
        self._targets[path] = target
        if target.startswith(b"/"):
            # Its target may be a later member.
            self._absolute.append((path, target))
        else:
            yield Symlink(path, target)

    def _merged_target(self, name: bytes, path: bytes, member: TarMember) -> bytes:
        """Return the target, changed only where the merge moved the link or its target."""
        target = member.target
        leads_to = lexical(name, target)
        if leads_to is None:
            return target  # refused by `_symlink_to`
        moved = self._place(leads_to)
        if moved == leads_to and name == path:
            return target
        return b"/" + moved if target.startswith(b"/") else _relative(path, moved)

    def _inward(self, path: bytes, target: bytes) -> bytes:
        """Return an absolute target, made relative where the package itself has that path."""
        leads_to = lexical(path, target)
        assert leads_to is not None  # refused when the member was read
        return _relative(path, target.lstrip(b"/")) if self._leads_inside(leads_to) else target

    def _leads_inside(self, path: bytes) -> bool:
        """Return whether the archive has a path, or a link on the way to it."""
        end = -1
        while (end := path.find(b"/", end + 1)) >= 0:
            kind = self._kinds.get(path[:end])
            if kind is not MemberKind.DIRECTORY:
                return kind is MemberKind.SYMLINK
        return path in self._kinds

    def _directories(self, path: bytes, member: TarMember) -> Iterator[ArchiveEntry]:
        """Yield entries for the directories down to `path` that are new."""
        new: list[bytes] = []
        place = path
        # Ends at the top, b"", which is in _kinds.
        while (kind := self._kinds.get(place)) is None:
            new.append(place)
            place = place.rpartition(b"/")[0]
        if kind is not MemberKind.DIRECTORY:
            raise UnsafeMember(member.name, f"'{display(place)}' is {kind.value} in the same archive")
        for place in reversed(new):
            self._kinds[place] = MemberKind.DIRECTORY
            self._name_bytes += len(place)
            self._bound(member)
            yield Directory(place)

    def _add(self, path: bytes, member: TarMember) -> None:
        if path in self._kinds:
            raise UnsafeMember(member.name, "it is in the archive twice")
        self._kinds[path] = member.kind

    def _clean(self, name: bytes, member: TarMember) -> bytes:
        """Return a member's name as a path of the tree."""
        above, slash, last = name.rpartition(b"/")
        if not slash or last == b"." or not is_entry_name(last):
            return _clean(name, member)
        parent = self._parents.get(above)
        if parent is None:
            parent = self._parents[above] = _clean(above + slash, member)
        return _checked(b"%b/%b" % (parent, last) if parent else last, member)

    def _place(self, path: bytes) -> bytes:
        """Return the path to which the layout moves `path`."""
        if self._layout is Layout.USR_MERGED and path.partition(b"/")[0] in USR_MERGED:
            return b"usr/" + path
        return path


def _clean(name: bytes, member: TarMember) -> bytes:
    """Return a member's name as a path of the tree."""
    if name.startswith(b"/"):
        raise UnsafeMember(member.name, "its name is absolute")
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if not all(map(is_entry_name, parts)):
        raise UnsafeMember(member.name, "its name holds '..', NUL, or a part of more than 255 bytes")
    return _checked(b"/".join(parts), member)


def _checked(path: bytes, member: TarMember) -> bytes:
    # The merge may put usr/ before it.
    if len(path) > MAX_PATH - len(b"usr/"):
        raise UnsafeMember(member.name, "its name is longer than a path can be")
    if path.count(b"/") > MAX_DEPTH:
        raise UnsafeMember(member.name, f"it lies in more than {MAX_DEPTH} directories")
    return path


def lexical(path: bytes, target: bytes) -> bytes | None:
    """Return the path a link at `path` leads to by its text alone, from the top.

    None if that is above the top.
    """
    parts = [] if target.startswith(b"/") else path.split(b"/")[:-1]
    for part in target.split(b"/"):
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def _relative(path: bytes, place: bytes) -> bytes:
    """Return the target with which a link at `path` leads to `place`, both from the top."""
    return b"../" * path.count(b"/") + place or b"."
