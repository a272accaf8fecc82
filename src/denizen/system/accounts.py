"""Users and groups: the files of accounts with the wanted entries added (pure).

The rules are sysusers.d's: an account that there is stays as it is, and none is removed, since files may
belong to it. Numbers that are not asked for are the highest free ones below 1000 (SYS_UID_MAX of
login.defs). passwd(5), group(5), shadow(5) and gshadow(5) are the formats; lines that are not understood
are kept.
"""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.system.spec import GroupSpec, UserSpec

MAX_SIZE = 16 << 20
_HIGHEST, _LOWEST = 999, 100
# More than any of the formats has.
_FIELDS = 16
PASSWD, GROUP, SHADOW, GSHADOW = "passwd", "group", "shadow", "gshadow"


class AccountConflict(BadInput):
    """The error that the accounts that there are leave no place for a wanted one."""

    name: str
    problem: str
    WHAT = "the account {name} cannot be made"
    WHY = "{problem:text}"


class AccountFiles(Value):
    """The contents of /etc/passwd and the others; b"" for an absent one."""

    passwd: bytes = b""
    group: bytes = b""
    shadow: bytes = b""
    gshadow: bytes = b""


class AccountChange(Value):
    """The files with the wanted accounts, and what was added, in words."""

    files: AccountFiles
    added: tuple[str, ...]


class _AccountTable:
    """The lines of one file, by their first field."""

    def __init__(self, text: bytes) -> None:
        # By line feeds alone: bytes.splitlines would take a carriage return for an end too.
        self.lines = [line + b"\n" for line in text.removesuffix(b"\n").split(b"\n")] if text else []
        self.rows: dict[str, list[str]] = {}
        for line in self.lines:
            fields = line.decode("utf-8", "surrogateescape").rstrip("\n").split(":", _FIELDS)
            self.rows.setdefault(fields[0], fields)
        self._numbers: dict[str, int] | None = None

    def numbers(self) -> dict[str, int]:
        """Return the number in the third field of each line."""
        if self._numbers is None:
            self._numbers = {
                name: int(row[2])
                for name, row in self.rows.items()
                if len(row) > 2 and row[2].isascii() and row[2].isdigit() and len(row[2]) < 11
            }
        return self._numbers

    def ids(self) -> dict[int, str]:
        """Return the owner of each number."""
        return {number: name for name, number in self.numbers().items()}

    def add(self, *fields: str) -> None:
        self.rows[fields[0]] = list(fields)
        self._numbers = None
        line = _line(fields)
        # Lines of NIS (+::) are read to the end: entries after them are not looked at.
        place = next(
            (at for at, one in enumerate(self.lines) if one.startswith((b"+", b"-"))), len(self.lines)
        )
        self.lines.insert(place, line)

    def set_field(self, name: str, number: int, text: str) -> None:
        row = self.rows[name]
        row[number] = text
        key = name.encode("utf-8", "surrogateescape")
        place = next(at for at, one in enumerate(self.lines) if one.rstrip(b"\n").split(b":", 1)[0] == key)
        self.lines[place] = _line(row)

    def text(self) -> bytes:
        return b"".join(self.lines)


def _line(fields: Sequence[str]) -> bytes:
    return (":".join(fields) + "\n").encode("utf-8", "surrogateescape")


def with_accounts(
    files: AccountFiles, users: Sequence[UserSpec], groups: Sequence[GroupSpec], today: int
) -> AccountChange:
    """Return the files with the wanted accounts; `today` is the number of days since 1970.

    Raises:
        AccountConflict: a number is another's, or a group is not there.
    """
    tables = _Accounts(files, today)
    for group in groups:
        tables.add_group(group.name, group.gid)
    for user in users:
        tables.add_user(user)
    for user in users:
        for group_name in user.groups:
            tables.add_member(group_name, user.name)
    return AccountChange(tables.files(), tuple(tables.added))


class _Accounts:
    def __init__(self, files: AccountFiles, today: int) -> None:
        self._passwd, self._group = _AccountTable(files.passwd), _AccountTable(files.group)
        self._shadow, self._gshadow = _AccountTable(files.shadow), _AccountTable(files.gshadow)
        self._has_gshadow, self._today = bool(files.gshadow), today
        self.added: list[str] = []

    def files(self) -> AccountFiles:
        tables = (self._passwd, self._group, self._shadow, self._gshadow)
        return AccountFiles(*(one.text() for one in tables))

    def add_group(self, name: str, gid: int | None) -> None:
        if name in self._group.rows:
            return
        owners = self._group.ids()
        if gid is not None and gid in owners:
            raise AccountConflict(name, f"the group number {gid} is {owners[gid]}'s")
        number = self._free(name) if gid is None else gid
        self._group.add(name, "x", str(number), "")
        if self._has_gshadow and name not in self._gshadow.rows:
            self._gshadow.add(name, "!*", "", "")
        self.added.append(f"group {name} ({number})")

    def add_user(self, user: UserSpec) -> None:
        if user.name in self._passwd.rows:
            return
        owners = self._passwd.ids()
        if user.uid is not None and user.uid in owners:
            raise AccountConflict(user.name, f"the user number {user.uid} is {owners[user.uid]}'s")
        if user.group and user.group not in self._group.rows:
            raise AccountConflict(user.name, f"there is no group {user.group}")
        if not user.group:
            taken = user.uid in self._group.ids()
            self.add_group(user.name, None if taken else user.uid)
        gid = self._group.rows[user.group or user.name][2]
        number = user.uid
        if number is None:
            # The group's own number where it is free, as for the group of the same name.
            own = int(gid)
            number = own if not user.group and own not in owners else self._free(user.name)
        self._passwd.add(user.name, "x", str(number), gid, user.description, user.home, user.shell)
        if user.name not in self._shadow.rows:
            self._shadow.add(user.name, "!*", str(self._today), "", "", "", "", "", "")
        self.added.append(f"user {user.name} ({number})")

    def add_member(self, group: str, user: str) -> None:
        row = self._group.rows.get(group)
        if row is None or len(row) < 4:
            raise AccountConflict(user, f"there is no group {group} that it could be a member of")
        members = [one for one in row[3].split(",") if one]
        if user in members:
            return
        self._group.set_field(group, 3, ",".join([*members, user]))
        shadow = self._gshadow.rows.get(group)
        if shadow is not None and len(shadow) > 3:
            self._gshadow.set_field(group, 3, ",".join([*filter(None, shadow[3].split(",")), user]))
        self.added.append(f"{user} as a member of {group}")

    def _free(self, name: str) -> int:
        taken = self._passwd.ids().keys() | self._group.ids().keys()
        for number in range(_HIGHEST, _LOWEST - 1, -1):
            if number not in taken:
                return number
        raise AccountConflict(name, f"all numbers from {_LOWEST} to {_HIGHEST} are taken")


def numbers_of(text: bytes) -> dict[str, int]:
    """Return the number of each account in a file of users or groups."""
    return _AccountTable(text).numbers()
