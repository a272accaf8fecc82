"""One directory's path in place of another, wherever bytes mention it (pure).

A mention is the old path as a whole: `/opt/app` is mentioned in `-L/opt/app/lib` and `"/opt/app"`, not in
`/opt/apple` nor in `/srv/opt/app`.

In text the new path may be longer or shorter. In other files nothing may move, so the mention keeps its
width: slashes fill it up, which every system call and every library takes for one. They stand behind the
path where a slash follows it (`/home/u///lib`), else ahead of it (`///home/u`). A path that is longer fits
where such slashes were left before, and a mention that was filled up and is changed back is what it was.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf.strings import Searchable

_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-~@%=")
# Bytes ahead of a mention that are looked at: a path's length.
_REACH = 4096
_SLASH = ord("/")


class Prefix(Value):
    """The old and the new path of a directory, absolute, without a slash at the end.

    Attributes:
        link: the path of a short link to the new one, for places where that does not fit; b"" for none.
    """

    old: bytes
    new: bytes
    link: bytes = b""

    def moved(self, path: bytes) -> bytes:
        """Return a path with the new directory; others as they are."""
        if path == self.old or path.startswith(self.old + b"/"):
            return self.new + path[len(self.old) :]
        return path


class Mention(Value):
    """A place where the old path stands.

    Attributes:
        offset: of its first byte.
        start, end: of what may be overwritten: the path with the slashes next to it that mean nothing.
        followed: a slash follows the path, and must still do.
    """

    offset: int
    start: int
    end: int
    followed: bool


def mentions(data: Searchable, path: bytes, start: int = 0, end: int | None = None) -> Iterator[Mention]:
    """Yield the places where a path is mentioned, in order."""
    stop = len(data) if end is None else end
    for at in _places(data, path, start, stop):
        yield _mention(data, at, at + len(path))


def _places(data: Searchable, path: bytes, start: int, stop: int) -> Iterator[int]:
    find, size = data.find, len(path)
    at = find(path, start, stop)
    while at >= 0:
        behind = at + size
        if (behind >= len(data) or data[behind] not in _NAME) and (not at or _begins(data, at)):
            yield at
        at = find(path, behind, stop)


def in_text(data: bytes, prefix: Prefix) -> tuple[bytes, int]:
    """Return text with the new path, of whatever length, and the number of mentions changed."""
    pieces, place, count = [], 0, 0
    for at in _places(data, prefix.old, 0, len(data)):
        pieces += [data[place:at], prefix.new]
        place = at + len(prefix.old)
        count += 1
    return (b"".join([*pieces, data[place:]]) if count else data), count


def filled(mention: Mention, path: bytes) -> bytes | None:
    """Return the bytes for a mention, with the new path and of the same width; None where it is too long."""
    more = mention.end - mention.start - len(path)
    if more < mention.followed:
        return None
    slashes = b"/" * more
    return path + slashes if mention.followed else slashes + path


def fitting(mention: Mention, prefix: Prefix) -> tuple[str, bytes | None]:
    """Return the way in which a mention is changed, and its new bytes; None where neither path fits.

    The ways are "filled", by the new path, and where that is too long "link", by the short link to it.
    """
    text = filled(mention, prefix.new)
    if text is None and prefix.link:
        return "link", filled(mention, prefix.link)
    return "filled", text


def _begins(data: Searchable, at: int) -> bool:
    """Tell whether a path begins there, and not an earlier one goes on.

    Letters may stand directly ahead of it (-I, a string's length), but not another path's components.
    """
    first = at
    while first > max(0, at - _REACH) and (data[first - 1] in _NAME or data[first - 1] == _SLASH):
        first -= 1
    if first == at:
        return True
    _, slash, components = bytes(data[first:at]).partition(b"/")
    return not slash or not components.strip(b"/")


def _mention(data: Searchable, at: int, behind: int) -> Mention:
    end = behind
    while end < len(data) and data[end] == _SLASH:
        end += 1
    if end > behind:
        return Mention(at, at, end, followed=True)
    start = at
    while start and data[start - 1] == _SLASH:
        start -= 1
    return Mention(at, start, end, followed=False)
