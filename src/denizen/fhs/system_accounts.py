"""Accounts of packages: those that a postinst asks for, and the lines that a host's files lack (pure).

Maintainer scripts are read and never run. Of a postinst these commands are understood, where
`maintainer_script` knows the account's name: adduser(8) with --system, addgroup(8), useradd(8), groupadd(8).
Whether the script would have called them is not asked: an account more does no harm.
"""

from __future__ import annotations

from itertools import chain, count

from denizen.fhs.maintainer_script import commands_of
from denizen.formats.sysusers import MAX_ACCOUNTS, AccountRequest
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

# Debian Policy 9.2.2: numbers of system accounts that packages get as they come.
_FREE = range(999, 99, -1)
# Where a host has taken all of them: above those of 16 bits.
_BEYOND = 1 << 16
# Options with a word of their own, by what they say; "" for what is not asked.
_ADDUSER = {
    b"--home": "home", b"--shell": "shell", b"--gecos": "description", b"--comment": "description",
    b"--uid": "number", b"--gid": "number of its group", b"--ingroup": "group", b"--conf": "",
    b"--firstuid": "", b"--lastuid": "", b"--firstgid": "", b"--lastgid": "", b"--add_extra_groups": "",
}  # fmt: skip
_USERADD = {
    b"-d": "home", b"--home": "home", b"--home-dir": "home", b"-s": "shell", b"--shell": "shell",
    b"-c": "description", b"--comment": "description", b"-u": "number", b"--uid": "number",
    b"-g": "group", b"--gid": "group", b"-G": "", b"--groups": "", b"-K": "", b"--key": "", b"-k": "",
    b"-b": "", b"-e": "", b"-f": "", b"-p": "", b"-R": "", b"--root": "",
}  # fmt: skip
_GROUPADD = {b"-g": "number", b"--gid": "number", b"-K": "", b"-p": "", b"-R": "", b"--root": ""}
# adduser(8): a system user's group, home and shell where none is named.
_NOGROUP, _NO_HOME, _NOLOGIN = b"nogroup", b"/nonexistent", b"/usr/sbin/nologin"


class AccountLines(Value):
    """The lines that passwd and group lack."""

    passwd: bytes
    group: bytes


class _Words(Value):
    """The words of a command: what its options say, those without a value, and its operands."""

    said: Mapping[str, bytes]
    flags: Collection[bytes]
    operands: tuple[bytes, ...]


def accounts_in(postinst: bytes) -> Iterator[AccountRequest]:
    """Yield the accounts that a postinst asks for."""
    readers: dict[bytes, tuple[Mapping[bytes, str], Callable[[_Words], AccountRequest | None]]] = {
        b"addgroup": (_ADDUSER, _group),
        b"groupadd": (_GROUPADD, _group),
        b"adduser": (_ADDUSER, _adduser),
        b"useradd": (_USERADD, _useradd),
    }
    for program, (options, reader) in readers.items():
        for words in commands_of(postinst, program, gaps=True):
            request = reader(_read(words[1:], options))
            if request is not None and request.is_sound:
                yield request


def _read(words: Iterable[bytes], options: Mapping[bytes, str]) -> _Words:
    said: dict[str, bytes] = {}
    flags: list[bytes] = []
    operands: list[bytes] = []
    wanting: str | None = None
    for word in words:
        name, equals, text = word.partition(b"=")
        if wanting is not None:
            said[wanting] = word
            wanting = None
        elif equals and name in options:
            said[options[name]] = text
        elif word in options:
            wanting = options[word]
        elif word.startswith(b"-"):
            flags.append(word)
        else:
            operands.append(word)
    return _Words(said, flags, tuple(operands))


def _number(word: bytes) -> int | None:
    return int(word) if word.isdigit() and len(word) < 11 else None


def _group(words: _Words) -> AccountRequest | None:
    if len(words.operands) != 1:
        return None
    number = words.said.get("number", words.said.get("number of its group", b""))
    return AccountRequest(words.operands[0], is_user=False, number=_number(number))


def _adduser(words: _Words) -> AccountRequest | None:
    operands, flags = words.operands, words.flags
    if len(operands) == 2 and b"--system" not in flags:
        return AccountRequest(operands[0], is_user=True, member_of=operands[1])
    if b"--system" not in flags or len(operands) != 1:
        return None
    group = words.said.get("group", b"" if b"--group" in flags else _NOGROUP)
    return _user(words, operands[0], group, named="group" in words.said)


def _useradd(words: _Words) -> AccountRequest | None:
    if len(words.operands) != 1:
        return None
    group = words.said.get("group", b"")
    return _user(words, words.operands[0], group, named="group" in words.said)


def _user(words: _Words, name: bytes, group: bytes, *, named: bool) -> AccountRequest | None:
    """Return a user; None where its group is named by a word that is not known, or by a number."""
    if named and (not group or group.isdigit()):
        return None
    said = words.said
    return AccountRequest(
        name,
        is_user=True,
        number=_number(said.get("number", b"")),
        group=group,
        description=said.get("description", b"").partition(b":")[0],
        home=said.get("home") or _NO_HOME,
        shell=said.get("shell") or _NOLOGIN,
    )


def lacking(passwd: bytes, group: bytes, requests: Iterable[AccountRequest]) -> AccountLines:
    """Return the lines of the accounts that are in neither file, to be added at their ends.

    A wanted number is given where it is free. Memberships of groups that are there are left out: their lines
    cannot be changed.
    """
    added = _Added(_numbers(passwd), _numbers(group))
    for request in list(requests)[:MAX_ACCOUNTS]:
        if request.member_of:
            added.add_member(request.member_of, request.name)
        elif request.is_user:
            added.add_user(request)
        else:
            added.add_group(request.name, request.number)
    return added.lines()


class _Added:
    """The accounts that are added, with numbers that are free."""

    def __init__(self, users: dict[bytes, int], groups: dict[bytes, int]) -> None:
        self._users, self._groups = users, groups
        self._uids, self._gids = set(users.values()), set(groups.values())
        self._passwd: list[bytes] = []
        self._members: dict[bytes, list[bytes]] = {}

    def add_group(self, name: bytes, number: int | None) -> int:
        known = self._groups.get(name)
        if known is not None:
            return known
        chosen = self._chosen(number, self._gids)
        self._groups[name] = chosen
        self._gids.add(chosen)
        self._members[name] = []
        return chosen

    def add_user(self, wanted: AccountRequest) -> None:
        if wanted.name in self._users:
            return
        gid = self.add_group(wanted.group or wanted.name, None if wanted.group else wanted.number)
        number = gid if wanted.number is None and not wanted.group else wanted.number
        chosen = self._chosen(number, self._uids)
        self._users[wanted.name] = chosen
        self._uids.add(chosen)
        fields = (wanted.name, chosen, gid, wanted.description, wanted.home, wanted.shell)
        self._passwd.append(b"%b:x:%d:%d:%b:%b:%b\n" % fields)

    def add_member(self, group: bytes, user: bytes) -> None:
        if user not in self._members.get(group, (user,)):
            self._members[group].append(user)

    def lines(self) -> AccountLines:
        rows = (
            b"%b:x:%d:%b\n" % (name, self._groups[name], b",".join(users))
            for name, users in self._members.items()
        )
        return AccountLines(b"".join(self._passwd), b"".join(rows))

    def _chosen(self, number: int | None, taken: set[int]) -> int:
        """Return the number if it is free, else one that is free as a user's and as a group's."""
        if number is not None and number not in taken:
            return number
        return next(
            one for one in chain(_FREE, count(_BEYOND)) if one not in self._uids and one not in self._gids
        )


def _numbers(text: bytes) -> dict[bytes, int]:
    """Return the number of each account in passwd or group; the first line of a name counts."""
    found: dict[bytes, int] = {}
    for line in text.split(b"\n"):
        fields = line.split(b":", 3)
        number = _number(fields[2]) if len(fields) > 2 else None
        if number is not None:
            found.setdefault(fields[0], number)
    return found
