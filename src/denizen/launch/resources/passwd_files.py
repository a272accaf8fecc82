"""The files that name users and groups, for a root without them (pure over a FileView).

No package has /etc/passwd: an installer writes it. Without it getpwuid(3) has no answer for the user who runs
the program, which libraries take for granted (ngspice reads `pw_dir` of a null pointer).
"""

from __future__ import annotations

import posixpath

from denizen.errors import BadInput
from denizen.fhs.builtin_fhs import ACCOUNTS
from denizen.fhs.host_etc import DEFAULT_GROUP, DEFAULT_PASSWD
from denizen.fhs.system_accounts import lacking
from denizen.formats.sysusers import read_sysusers
from denizen.launch.resources.command_paths import is_missing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.formats.sysusers import AccountRequest

# Functions of pwd.h, grp.h and unistd.h that read the files.
_READERS = frozenset(
    {b"getpwuid", b"getpwuid_r", b"getpwnam", b"getpwnam_r", b"getpwent", b"getlogin", b"getlogin_r"}
    | {b"getgrgid", b"getgrgid_r", b"getgrnam", b"getgrnam_r", b"getgrent", b"getgrouplist", b"initgroups"}
)
_ROOT, _NOBODY = 0, 65534  # Debian Policy 9.2.2


class Owner(Value):
    """The user for whom files are made, by numbers."""

    uid: int
    gid: int


def asks_for_accounts(image: Image | None) -> bool:
    """Tell whether a program imports a function that reads accounts (firecfg asks for its user)."""
    try:
        return image is not None and not _READERS.isdisjoint(image.symbols.undefined_names)
    except BadInput:
        return False


def missing_accounts(view: FileView, owner: Owner, systems: Sequence[bytes] = ()) -> dict[bytes, bytes]:
    """Return the files that a host lacks: path -> content; {} where it has a passwd.

    In them are the accounts that the packages in `systems`, trees with a whole /usr, ask for.
    """
    if not is_missing(view, b"/etc/passwd"):
        return {}
    passwd, group = _passwd(owner.uid, owner.gid), _group(owner.gid)
    for tree in systems:
        lines = lacking(passwd, group, _requests(view, tree))
        passwd, group = passwd + lines.passwd, group + lines.group
    content = {b"/etc/passwd": passwd, b"/etc/group": group}
    return {path: text for path, text in content.items() if is_missing(view, path)}


def _requests(view: FileView, tree: bytes) -> list[AccountRequest]:
    try:
        return read_sysusers(bytes(view.read(posixpath.join(tree, ACCOUNTS))))
    except OSError:
        return []  # its packages ask for none


def _passwd(uid: int, gid: int) -> bytes:
    own = b"" if uid in (_ROOT, _NOBODY) else b"user:x:%d:%d::/:/bin/sh\n" % (uid, gid)
    return DEFAULT_PASSWD + own


def _group(gid: int) -> bytes:
    own = b"" if gid in (_ROOT, _NOBODY) else b"user:x:%d:\n" % gid
    return DEFAULT_GROUP + own
