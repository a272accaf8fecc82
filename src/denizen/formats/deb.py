r"""Streaming reader of Debian packages (pure).

Specification: deb(5). An ar archive of, in this order,

    debian-binary            "2.0\n"; a higher minor number may add members
    control.tar[.gz|.xz|.zst]
    data.tar[.gz|.xz|.bz2|.zst]

Members whose names begin with `_` may be between them and are skipped; any other is refused,
and what follows data.tar is not read. `control` and `data` are tar archives (`tar`) checked by
`archive_tree`. `compression` limits their decompressed size, `MAX_CONTROL` the control file's.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats import ar, archive_tree, tar
from denizen.formats.archive_tree import Layout
from denizen.formats.compression import expanded
from denizen.formats.file_tree import File
from denizen.formats.stream import ByteSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.file_tree import ArchiveEntry
    from denizen.formats.stream import Readable

MAX_CONTROL = 4 * 1024 * 1024
_MAX_VERSION = 1024
_FORMATS = {"": "", ".gz": "gz", ".xz": "xz", ".zst": "zst", ".bz2": "bz2"}


class BadDeb(BadInput):
    """An ar archive is not a Debian package."""

    reason: str
    WHAT = "not a Debian package"
    WHY = "{reason:text}"


class Deb:
    """A package being read: first `control`, then, once, `entries`.

    Attributes:
        control: the content of its control file.
        preinst, postinst: its scripts of these names; b"" if it has none. They are read, never run.
    """

    def __init__(self, stream: Readable) -> None:
        """Read as far as the control member.

        Raises:
            BadDeb, BadAr, BadTar, BadCompression, Bomb, UnsafeMember, Truncated: it is not a package.
        """
        self._members = ar.members(ByteSource(stream))
        _check_version(next(self._members, None))
        self.control, self.preinst, self.postinst = _control(self._next("control.tar"))

    def entries(self, layout: Layout = Layout.AS_PACKAGED) -> Iterator[ArchiveEntry]:
        """Yield the tree of data.tar, safe to write.

        Raises:
            BadDeb, BadAr, BadTar, BadCompression, Bomb, UnsafeMember, Truncated: it is malformed or hostile.
        """
        data = ByteSource(self._next("data.tar"))
        return archive_tree.entries(tar.members(data), layout)

    def _next(self, stem: str) -> Readable:
        for member in self._members:
            if member.name.startswith(stem):
                compression = _FORMATS.get(member.name.removeprefix(stem))
                if compression is None:
                    raise BadDeb(f"'{display(member.name)}' is compressed in a way deb(5) does not know")
                return expanded(member.content, compression)
            if not member.name.startswith("_"):
                raise BadDeb(f"'{display(member.name)}' stands where {stem} was expected")
        raise BadDeb(f"it has no {stem}")


def _check_version(member: ar.ArMember | None) -> None:
    if member is None or member.name != "debian-binary" or member.size > _MAX_VERSION:
        raise BadDeb("its first member is not debian-binary")
    version = member.content.read(member.size)
    while piece := member.content.read(member.size):
        version += piece
    if not version.startswith(b"2.") or not version.endswith(b"\n"):
        raise BadDeb(f"its format is '{display(version.rstrip())}'; denizen reads 2.x")


def _control(stream: Readable) -> tuple[bytes, bytes, bytes]:
    """Return the files `control`, `preinst` and `postinst` of the control archive. A script is never run."""
    found: dict[bytes, bytes] = {}
    for entry in archive_tree.entries(tar.members(ByteSource(stream))):
        if isinstance(entry, File) and entry.path in (b"control", b"preinst", b"postinst"):
            if entry.size > MAX_CONTROL:
                raise BadDeb(f"its {display(entry.path)} file has more than {MAX_CONTROL} bytes")
            found[entry.path] = b"".join(bytes(piece) for piece in entry.content)
    if b"control" not in found:
        raise BadDeb("its control archive has no file 'control'")
    return found[b"control"], found.get(b"preinst", b""), found.get(b"postinst", b"")
