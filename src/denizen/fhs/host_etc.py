"""Files of /etc that come from the host, adapted so that another distribution's tree can use them (pure)."""

from __future__ import annotations

from denizen.fhs.system_accounts import lacking
from denizen.value import Value

# The host's /etc and /usr inside an environment.
HOST = b"/.denizen/host"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from denizen.formats.sysusers import AccountRequest

    EtcEntry: TypeAlias = "EtcFile | EtcJoined | EtcLink"

# name -> its link's target on a host without it; "" for no link. Services, protocols and others may be the
# tree's own (netbase), in files that no link replaces. Each name has its link to /.denizen/etc in
# triggers.toml.
NAMES: Mapping[bytes, bytes] = {
    b"passwd": b"/.denizen/environment/usr/share/denizen/passwd",
    b"group": b"/.denizen/environment/usr/share/denizen/group",
    b"hosts": b"",
    b"hostname": b"",
    b"resolv.conf": b"",
    b"machine-id": b"",
    b"localtime": b"/usr/share/zoneinfo/UTC",
    b"timezone": b"",
    b"services": b"",
    b"protocols": b"",
    b"host.conf": b"",
    b"gai.conf": b"",
    b"pulse": b"",
    b"asound.conf": b"",
    b"subuid": b"",
    b"subgid": b"",
}
# Services built into glibc since 2.34 (nss/nss_files, resolv/nss_dns).
_BUILT_IN = frozenset({b"files", b"dns"})
DEFAULT_NSSWITCH = b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
# Bytes. A word of a plan can have 128 KiB (MAX_ARG_STRLEN); a longer passwd is replaced by a minimal one.
_LIMIT = 100_000
DEFAULT_HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"
# Debian Policy 9.2.2.
DEFAULT_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
DEFAULT_GROUP = b"root:x:0:\nnogroup:x:65534:\n"


class EtcFile(Value):
    """A file that denizen writes in /.denizen/etc; its text has no NUL."""

    text: bytes


class EtcJoined(Value):
    """A file in /.denizen/etc: what the host's file of this path holds when it is entered, and a text."""

    source: bytes
    text: bytes


class EtcLink(Value):
    """A link in /.denizen/etc."""

    target: bytes


class User(Value):
    """The user who enters, for hosts whose files do not list the user (LDAP, a bare root)."""

    name: bytes
    uid: int
    gid: int
    home: bytes
    shell: bytes = b"/bin/bash"

    @property
    def line(self) -> bytes:
        """The user's line in passwd."""
        return b"%b:x:%d:%d::%b:%b\n" % (self.name, self.uid, self.gid, self.home, self.shell)


def files(
    host: Callable[[bytes], bytes | None],
    exists: Callable[[bytes], bool],
    user: User,
    modules: Callable[[bytes], bool],
    tree: Callable[[bytes], bytes | None],
    *,
    requests: Sequence[AccountRequest] = (),
) -> dict[bytes, EtcEntry]:
    """Return the files and links of /.denizen/etc, by name.

    Args:
        host: returns the content of a file in the host's /etc; None where there is none.
        exists: tells whether the host's /etc has a name.
        user: the user who enters.
        modules: tells whether the tree has the module of an NSS service.
        tree: returns the tree's "passwd" or "group" of any system (Debian Policy 9.2.2); None for none.
        requests: the accounts that the tree's packages ask for.
    """
    found: dict[bytes, EtcEntry] = {}
    for name, default in NAMES.items():
        if exists(name):
            found[name] = EtcLink(HOST + b"/etc/" + name)
        elif default:
            found[name] = EtcLink(default)
    if not exists(b"hosts"):
        found[b"hosts"] = EtcFile(DEFAULT_HOSTS)
    passwd, group = (host(name) or tree(name) for name in (b"passwd", b"group"))
    if passwd is None or not _has_id(passwd, user.uid):
        found[b"passwd"] = EtcFile((_short(passwd) or b"root:x:0:0:root:/root:/bin/bash\n") + user.line)
    if group is None or not _has_id(group, user.gid):
        found[b"group"] = EtcFile((_short(group) or b"root:x:0:\n") + b"%b:x:%d:\n" % (user.name, user.gid))
    _add_accounts(found, passwd or b"", group or b"", requests)
    services = _short(host(b"nsswitch.conf")) or DEFAULT_NSSWITCH
    found[b"nsswitch.conf"] = EtcFile(nsswitch(services, modules))
    return found


def _add_accounts(
    found: dict[bytes, EtcEntry], passwd: bytes, group: bytes, requests: Sequence[AccountRequest]
) -> None:
    """Add to passwd and group the accounts that are in neither of what they hold."""
    lines = lacking(_text(found, b"passwd") or passwd, _text(found, b"group") or group, requests)
    for name, text in ((b"passwd", lines.passwd), (b"group", lines.group)):
        entry = found.get(name)
        if text and isinstance(entry, EtcFile):
            found[name] = EtcFile(entry.text + text)
        elif text and isinstance(entry, EtcLink):
            found[name] = EtcJoined(entry.target, text)


def _text(found: Mapping[bytes, EtcEntry], name: bytes) -> bytes:
    entry = found.get(name)
    return entry.text if isinstance(entry, EtcFile) else b""


def _short(text: bytes | None) -> bytes:
    """Return the text ended by a newline if it fits into a plan; b"" otherwise."""
    if not text or len(text) > _LIMIT or b"\0" in text:
        return b""
    return text if text.endswith(b"\n") else text + b"\n"


def _has_id(text: bytes, number: int) -> bool:
    wanted = b"%d" % number
    return any(line.split(b":")[2:3] == [wanted] for line in text.split(b"\n"))


def nsswitch(text: bytes, modules: Callable[[bytes], bool]) -> bytes:
    """Return nsswitch.conf's text without the services, and their actions, for which the tree has no module.

    A service that cannot be loaded counts as unavailable and would often do no harm; but `[!UNAVAIL=return]`
    behind it, as systemd's documentation recommends for `resolve`, would end every lookup.
    """
    lines = []
    for line in text.split(b"\n"):
        database, colon, services = line.partition(b"#")[0].partition(b":")
        if not colon:
            continue
        kept: list[bytes] = []
        keeping = True
        for word in services.replace(b"[", b" [").split():
            if not word.startswith(b"[") and not word.endswith(b"]"):
                keeping = word in _BUILT_IN or modules(word)
            if keeping:
                kept.append(word)
        lines.append(database.strip() + b": " + b" ".join(kept or [b"files"]))
    return b"\n".join(lines) + b"\n"
