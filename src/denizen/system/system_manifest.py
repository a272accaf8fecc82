"""The manifest of a system generation, as JSON in its tree: all that activation needs to know (pure).

    {"format": 1, "name": …, "etc": [[path, digest, mode, user, group], …], "users": …, "units": …, "boot": …}

Nothing in it depends on the time or the machine, so that one description makes one store object. The names in
it pass the rules that a description's names pass: a generation may come from another machine.

Limits: MAX_SIZE bytes.
"""

from __future__ import annotations

import json
import re

from denizen.errors import BadInput
from denizen.formats.indented_json import json_text
from denizen.system import name_rules
from denizen.system.spec import Bootloader, DirectorySpec, GroupSpec, OnChange, UserSpec
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
MAX_SIZE = 8 << 20
# Their names in a generation's tree.
FILE = "system.json"
ETC, SOFTWARE, KERNEL, INITRD, INIT, ACTIVATE = "etc", "sw", "kernel", "initrd", "init", "activate"


class DamagedSystem(BadInput):
    """The error that a system generation's manifest cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} is not the manifest of a system"
    WHY = "{problem:text}"
    REMEDY = "denizen system rollback goes back to the generation before"


class ManagedFile(Value):
    """A file of /etc; `mode` None makes it a link to the store, else it is a copy of this owner.

    Attributes:
        digest: the SHA-256 of its content, in hex.
    """

    path: str
    digest: str
    mode: int | None = None
    user: str = "root"
    group: str = "root"


class SystemUnit(Value):
    """A unit.

    Attributes:
        digest: of its text and drop-ins (unit_files.py, `unit_digest`).
        enabled: it is wanted by a target, and started.
    """

    name: str
    digest: str
    enabled: bool
    on_change: OnChange


class SystemBoot(Value):
    """The way a generation boots; kernel and initrd lie in its tree.

    Attributes:
        initrd: None for none, else the name in the tree; "" for an archive of the closure.
    """

    options: tuple[str, ...]
    initrd: str | None
    loaders: tuple[Bootloader, ...]


class SystemManifest(Value):
    """A system as a generation has it."""

    name: str = "system"
    etc: tuple[ManagedFile, ...] = ()
    users: tuple[UserSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    directories: tuple[DirectorySpec, ...] = ()
    units: tuple[SystemUnit, ...] = ()
    boot: SystemBoot | None = None


def write_system(manifest: SystemManifest) -> bytes:
    """Return the manifest as a file's bytes."""
    boot = manifest.boot
    document = {
        "format": FORMAT,
        "name": manifest.name,
        "etc": [[one.path, one.digest, one.mode, one.user, one.group] for one in manifest.etc],
        "users": [
            [one.name, one.uid, one.group, one.description, one.home, one.shell, list(one.groups)]
            for one in manifest.users
        ],
        "groups": [[one.name, one.gid] for one in manifest.groups],
        "directories": [[one.path, one.mode, one.user, one.group, one.age] for one in manifest.directories],
        "units": [[one.name, one.digest, one.enabled, one.on_change.value] for one in manifest.units],
        "boot": None if boot is None else _boot_row(boot),
    }
    return (json_text(document) + "\n").encode()


def _boot_row(boot: SystemBoot) -> list[object]:
    return [list(boot.options), boot.initrd, [one.value for one in boot.loaders]]


def read_system(text: bytes, path: bytes = b"the file") -> SystemManifest:
    """Return the manifest in a file's bytes. Raises DamagedSystem."""
    try:
        return _parse(json.loads(text[: MAX_SIZE + 1]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as bad:
        raise DamagedSystem(path, str(bad)) from bad


def _parse(table: dict[str, Any]) -> SystemManifest:
    if table["format"] != FORMAT:
        raise ValueError(f"it has the format {table['format']}, this denizen reads {FORMAT}")
    boot = table["boot"]
    return SystemManifest(
        _checked(table["name"], name_rules.system),
        tuple(_etc(row) for row in table["etc"]),
        tuple(_user(row) for row in table["users"]),
        tuple(GroupSpec(_checked(name, name_rules.account), _id(gid)) for name, gid in table["groups"]),
        tuple(_directory(*row) for row in table["directories"]),
        tuple(_unit(*row) for row in table["units"]),
        None if boot is None else _boot(*boot),
    )


def _etc(row: list[Any]) -> ManagedFile:
    path, digest, mode, user, group = row
    return ManagedFile(
        _checked(path, name_rules.etc_path),
        _digest(digest),
        None if mode is None else _mode(mode),
        _checked(user, name_rules.account),
        _checked(group, name_rules.account),
    )


def _user(row: list[Any]) -> UserSpec:
    name, uid, group, about, home, shell, groups = row
    return UserSpec(
        _checked(name, name_rules.account),
        _id(uid),
        _checked(group, name_rules.account) if group != "" else "",
        _checked(about, name_rules.field),
        _checked(home, name_rules.absolute),
        _checked(shell, name_rules.absolute),
        tuple(_checked(one, name_rules.account) for one in groups),
    )


def _directory(path: object, mode: object, user: object, group: object, age: object) -> DirectorySpec:
    return DirectorySpec(
        _checked(path, name_rules.directory),
        _mode(mode),
        _checked(user, name_rules.account),
        _checked(group, name_rules.account),
        _checked(age, name_rules.age) if age != "" else "",
    )


def _unit(name: object, digest: object, enabled: object, on_change: object) -> SystemUnit:
    return SystemUnit(_checked(name, name_rules.unit), _digest(digest), enabled is True, OnChange(on_change))


def _digest(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch(r"[0-9a-f]{64}", found):
        raise ValueError("a digest is not 64 hex digits")
    return found


def _boot(options: list[object], initrd: object, loaders: list[object]) -> SystemBoot:
    if initrd not in (None, "", INITRD):
        raise ValueError("the initrd is not one that a generation has")
    return SystemBoot(
        tuple(_checked(one, name_rules.kernel_option) for one in options),
        initrd if isinstance(initrd, str) else None,
        tuple(Bootloader(one) for one in loaders),
    )


def _checked(found: object, rule: Any) -> str:
    if not isinstance(found, str) or rule(found):
        raise ValueError(f"{str(found)[:60]!r} {rule(found) if isinstance(found, str) else 'is no text'}")
    return found


def _id(found: object) -> int | None:
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < (1 << 32) - 2:
        raise ValueError("a number of a user or group is out of its range")
    return found


def _mode(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 0o7777:
        raise ValueError("a mode is out of its range")
    return found
