"""Accounts that packages declare in /usr/lib/sysusers.d (pure); specification: sysusers.d(5)."""

from __future__ import annotations

from denizen.lazy_pattern import pattern
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_ACCOUNTS = 256
# As systemd takes them ("User/Group Name Syntax"), with the capitals and the dots that Debian's have.
_NAME = pattern(rb"[A-Za-z_][A-Za-z0-9_.-]{0,30}")
_WORD = pattern(rb"""[ \t]*(?:"((?:[^"\\]|\\.)*+)"|'([^']*)'|(\S+))""")
_ESCAPED = pattern(rb"\\(.)")
_NO_FIELD = pattern(rb"[:\n\r\0]")
_HIGHEST = 2**32 - 2
_NOLOGIN = b"/usr/sbin/nologin"


class AccountRequest(Value):
    """A user, a group, or a member of a group that a package asks for.

    Attributes:
        is_user: it is a user; else a group.
        number: the number that is wanted; None for any.
        group: the name of a user's first group; b"" for one of its own name.
        member_of: this existing user becomes a member of the group; nothing is made.
    """

    name: bytes
    is_user: bool
    number: int | None = None
    group: bytes = b""
    description: bytes = b""
    home: bytes = b"/"
    shell: bytes = _NOLOGIN
    member_of: bytes = b""

    @property
    def is_sound(self) -> bool:
        """Tell whether its fields can stand in passwd and group."""
        names = [self.name, *filter(None, (self.group, self.member_of))]
        paths = (self.home, self.shell)
        return (
            all(map(_NAME.fullmatch, names))
            and all(path.startswith(b"/") for path in paths)
            and not any(map(_NO_FIELD.search, (*paths, self.description)))
            and (self.number is None or 0 <= self.number <= _HIGHEST)
        )


def read_sysusers(text: bytes) -> list[AccountRequest]:
    """Return the accounts of a file, at most `MAX_ACCOUNTS`; lines that are not understood are left out."""
    found: list[AccountRequest] = []
    for line in text.split(b"\n"):
        words = [] if line.lstrip().startswith(b"#") else list(_words(line))
        request = _request(words) if len(words) > 1 else None
        if request is not None and request.is_sound and len(found) < MAX_ACCOUNTS:
            found.append(request)
    return found


def sysusers_text(requests: Iterable[AccountRequest]) -> bytes:
    """Return the lines of these accounts, which are sound."""
    return b"".join(map(_line, requests))


def _words(line: bytes) -> Iterator[bytes]:
    at = 0
    while match := _WORD.match(line, at):
        double, single, plain = match.groups()
        yield _ESCAPED.sub(rb"\1", double) if double is not None else single if single is not None else plain
        at = match.end()


def _request(words: list[bytes]) -> AccountRequest | None:
    kind, name, number, description, home, shell = (words + [b""] * 4)[:6]
    if kind[:1] == b"m":
        return AccountRequest(name, is_user=True, member_of=number)
    if kind[:1] not in (b"u", b"g"):
        return None
    own, _, group = number.partition(b":")
    # A path stands for the owner of that file, which no package's tree tells.
    request = AccountRequest(name, kind[:1] == b"u", int(own) if own.isdigit() and len(own) < 11 else None)
    if not request.is_user:
        return request
    return replace(
        request,
        group=b"" if group.isdigit() else _given(group, b""),
        description=_given(description, b""),
        home=_given(home, b"/"),
        shell=_given(shell, _NOLOGIN),
    )


def _given(word: bytes, otherwise: bytes) -> bytes:
    return otherwise if word in (b"", b"-") else word


def _line(one: AccountRequest) -> bytes:
    if one.member_of:
        return b"m %b %b\n" % (one.name, one.member_of)
    number = b"-" if one.number is None else b"%d" % one.number
    if not one.is_user:
        return b"g %b %b\n" % (one.name, number)
    if one.group:
        number += b":" + one.group
    texts = [_quoted(text) for text in (one.description, one.home, one.shell)]
    return b"u %b %b %b\n" % (one.name, number, b" ".join(texts))


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
