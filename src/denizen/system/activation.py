"""The activation of a generation: observed, planned as data, and carried out, in a target.

The order of the steps: accounts, directories, units that stop, files of /etc by one rename, units that are
reloaded, restarted and started. Accounts and directories are never removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time

from denizen.errors import BadInput
from denizen.store.errors import doing
from denizen.system import unit_manager
from denizen.system.accounts import (
    GROUP,
    GSHADOW,
    MAX_SIZE,
    PASSWD,
    SHADOW,
    AccountChange,
    AccountFiles,
    numbers_of,
    with_accounts,
)
from denizen.system.etc_views import EtcViews, PlacedFile
from denizen.system.system_manifest import ETC, SystemManifest
from denizen.system.unit_files import UnitActions, unit_actions
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.system.etc_plan import EtcPlan
    from denizen.system.spec import DirectorySpec
    from denizen.system.system_manifest import ManagedFile
    from denizen.system.system_tree import SystemGeneration
    from denizen.system.target_root import Owner, TargetRoot

_DAY = 86400
_FILES = (PASSWD, GROUP, SHADOW, GSHADOW)
# The modes of account files that are made here; those that are there keep theirs.
_MODES = {PASSWD: 0o644, GROUP: 0o644, SHADOW: 0o640, GSHADOW: 0o640}


class NoSuchOwner(BadInput):
    """The error that a file or directory is to belong to an account that there is not."""

    path: str
    name: str
    WHAT = "{path} cannot belong to {name}"
    WHY = "the target has no such account, and the description makes none"
    REMEDY = "a table [users.{name}] or [groups.{name}]"


class SystemTarget(Value):
    """The system that generations are activated in.

    Attributes:
        inside: the path of the store in it, relative to its root.
        is_running: it is this machine's own root, not a directory.
        may_chown: files can be given to other users.
    """

    root: TargetRoot
    inside: bytes
    is_running: bool
    may_chown: bool


class ActivationPlan(Value):
    """The steps of an activation.

    Attributes:
        generation: the store object's base name; "" for none, which gives everything back.
        interrupted: an activation was, and is undone or finished first.
        accounts: the files with what is added to them.
        directories: those that are made, or get another mode or owner.
        commands: systemctl is run so; () where no systemd runs.
        notes: what is not done, and why.
    """

    generation: str
    interrupted: bool
    accounts: AccountChange
    directories: tuple[DirectorySpec, ...]
    etc: EtcPlan
    files: tuple[PlacedFile, ...]
    units: UnitActions
    commands: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Tell whether the target is as the generation wants it."""
        etc = self.etc
        changes = etc.added or etc.removed or etc.remade or self.accounts.added or self.directories
        return not (changes or self.interrupted or not self.units.is_nothing)


class Activator:
    """Plans activations in a target, and carries them out."""

    def __init__(self, target: SystemTarget) -> None:
        self._target, self._root = target, target.root
        self._views = EtcViews(target.root)

    def active(self) -> str:
        """Return the base name of the generation whose files are in force; "" for none.

        Raises NotOursToSwitch, DamagedEtc, DiskFailed.
        """
        return self._views.record().generation

    def recover(self) -> bool:
        """Undo or finish an interrupted activation; tell whether there was one. Raises as `active`."""
        return self._views.recover()

    def plan(self, new: SystemGeneration | None, former: SystemManifest | None) -> ActivationPlan:
        """Return the plan to a generation; `former` is the manifest of the one that is active.

        Raises:
            EtcConflict, AccountConflict, NoSuchOwner: it cannot be activated here. And as `active`.
        """
        manifest = new.manifest if new is not None else SystemManifest()
        accounts = self._accounts(manifest)
        numbers = numbers_of(accounts.files.passwd), numbers_of(accounts.files.group)
        files = tuple(self._placed(new, one, numbers) for one in manifest.etc) if new is not None else ()
        record = self._views.record()
        units = unit_actions(former.units if former else (), manifest.units)
        runs = self._target.is_running and unit_manager.is_booted()
        return ActivationPlan(
            _base(new),
            not record.is_settled,
            accounts,
            tuple(one for one in manifest.directories if not self._is_right(one, numbers)),
            self._views.plan(files, _same_links(former, manifest, is_other=record.generation != _base(new))),
            files,
            units,
            unit_manager.command_lines(units) if runs else (),
            tuple(self._notes(manifest, units, runs=runs)),
        )

    def carry_out(self, plan: ActivationPlan) -> None:
        """Do what a plan says. Raises DiskFailed, UnitFailed; `recover` puts files of /etc in order then."""
        self._write_accounts(plan.accounts)
        numbers = numbers_of(plan.accounts.files.passwd), numbers_of(plan.accounts.files.group)
        with doing("make directories in", self._root.place):
            for one in plan.directories:
                owner = self._owner(one.path, one.user, one.group, numbers)
                self._root.ensure_directory(one.path.strip("/").encode(), one.mode, owner)
        if plan.commands:
            unit_manager.stop_units(plan.units)
        etc, record = plan.etc, self._views.record()
        if etc.added or etc.removed or etc.remade or record.generation != plan.generation:
            self._views.activate(plan.generation, plan.files, etc)
        if plan.commands:
            unit_manager.start_units(plan.units)

    def _notes(self, manifest: SystemManifest, units: UnitActions, *, runs: bool) -> Iterator[str]:
        if not units.is_nothing and not runs:
            yield from (
                f"{line}: not done, as no systemd runs in the target"
                for line in unit_manager.command_lines(units)
            )
        is_owned = manifest.directories or any(one.mode is not None for one in manifest.etc)
        if not self._target.may_chown and is_owned:
            yield "owners of files and directories are not set, as you are not root"

    def _accounts(self, manifest: SystemManifest) -> AccountChange:
        with doing("read the accounts of", self._root.place):
            files = AccountFiles(*(self._root.read(_place(name), MAX_SIZE) or b"" for name in _FILES))
        if not (manifest.users or manifest.groups):
            return AccountChange(files, ())
        return with_accounts(files, manifest.users, manifest.groups, int(time.time()) // _DAY)

    def _write_accounts(self, change: AccountChange) -> None:
        if not change.added:
            return
        texts = dict(zip(_FILES, _texts(change.files), strict=True))
        with doing("write the accounts of", self._root.place), self._accounts_locked():
            # Groups first: an interruption leaves no user without its group.
            for name in (GROUP, GSHADOW, PASSWD, SHADOW):
                facts = self._root.facts(_place(name))
                if texts[name] and texts[name] != (self._root.read(_place(name), MAX_SIZE) or b""):
                    mode = stat.S_IMODE(facts.st_mode) if facts else _MODES[name]
                    owner = (facts.st_uid, facts.st_gid) if facts and self._target.may_chown else None
                    self._root.write(_place(name), texts[name], mode, owner)

    @contextlib.contextmanager
    def _accounts_locked(self) -> Iterator[None]:
        """Hold the lock of lckpwdf(3), which useradd and passwd take."""
        self._root.make_directory(ETC.encode())
        with self._root.directory(ETC.encode()) as etc:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            lock = os.open(b".pwd.lock", flags, 0o600, dir_fd=etc)
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)

    def _placed(
        self, new: SystemGeneration, one: ManagedFile, numbers: tuple[dict[str, int], dict[str, int]]
    ) -> PlacedFile:
        if one.mode is None:
            inside = b"/".join((self._target.inside, new.path.base.encode(), ETC.encode(), one.path.encode()))
            return PlacedFile(one.path, inside)
        source = os.path.join(new.tree, ETC.encode(), one.path.encode())
        with doing("read", source), open(source, "rb") as stream:
            content = stream.read()
        owner = self._owner(f"/etc/{one.path}", one.user, one.group, numbers)
        return PlacedFile(one.path, b"", content, one.mode, owner)

    def _owner(
        self, path: str, user: str, group: str, numbers: tuple[dict[str, int], dict[str, int]]
    ) -> Owner | None:
        """Return the numbers of an owner; None where files cannot be given away. Raises NoSuchOwner."""
        found = []
        for name, known in zip((user, group), numbers, strict=True):
            # root is number 0 in a target without accounts too.
            if name != "root" and name not in known:
                raise NoSuchOwner(path, name)
            found.append(known.get(name, 0))
        return (found[0], found[1]) if self._target.may_chown else None

    def _is_right(self, one: DirectorySpec, numbers: tuple[dict[str, int], dict[str, int]]) -> bool:
        owner = self._owner(one.path, one.user, one.group, numbers)
        with doing("look at", self._root.shown(one.path.strip("/").encode())):
            try:
                with self._root.directory(one.path.strip("/").encode(), following=True) as descriptor:
                    facts = os.fstat(descriptor)
            except FileNotFoundError:
                return False
        same = owner is None or owner == (facts.st_uid, facts.st_gid)
        return same and stat.S_IMODE(facts.st_mode) == one.mode


def _base(generation: SystemGeneration | None) -> str:
    return generation.path.base if generation is not None else ""


def _same_links(former: SystemManifest | None, new: SystemManifest, *, is_other: bool) -> frozenset[str]:
    """Return the paths of links whose content another generation does not change."""
    if former is None or not is_other:
        return frozenset()
    known = {(one.path, one.digest) for one in former.etc if one.mode is None}
    return frozenset(one.path for one in new.etc if one.mode is None and (one.path, one.digest) in known)


def _place(name: str) -> bytes:
    return f"{ETC}/{name}".encode()


def _texts(files: AccountFiles) -> tuple[bytes, ...]:
    return files.passwd, files.group, files.shadow, files.gshadow
