"""The activation of files of /etc: every reader sees all files of one generation, at any instant.

An activation from the files in force to others goes through these states; `etc_record` has the places.

1. A view is made that shows what is there: the files in force, and at each place that is taken over the file
   that is there, put aside by a second name. /etc/static is made to lead to it: nothing changes.
2. The places that are taken over become links to /etc/static/X: they show what they had.
3. A view of the new files is made, which shows at each place that is given up the file that was put aside.
   /etc/static is made to lead to it by one rename. This is the moment of the change.
4. The places that are given up get back what was put aside, or are removed.

Killed before 3, the next activation, or one at boot, takes the places back; after 3 it goes on with 4.
"""

from __future__ import annotations

import errno
import os
import stat

from denizen.errors import HostLacks
from denizen.store.errors import doing
from denizen.system.etc_plan import PlaceKind, plan_etc
from denizen.system.etc_record import (
    KEPT,
    MAX_SIZE,
    OWN,
    RECORD,
    STATIC,
    VIEWS,
    EtcRecord,
    directories_of,
    read_record,
    view_of,
    write_record,
)
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager

    from denizen.system.etc_plan import EtcPlan
    from denizen.system.target_root import Owner, TargetRoot

_ETC = b"etc/"


class NotOursToSwitch(HostLacks):
    """The error that /etc/static exists and is not denizen's."""

    path: bytes
    WHAT = "the files of /etc are not switched"
    WHY = "{path} is not denizen's; another program keeps the files of /etc by it"


class PlacedFile(Value):
    """A file of /etc with its content.

    Attributes:
        path: below /etc.
        target: of a link to the store; b"" for a copy.
        content: of a copy.
        owner: of a copy; None for the user who makes it.
    """

    path: str
    target: bytes = b""
    content: bytes = b""
    mode: int = 0o644
    owner: Owner | None = None


class EtcViews:
    """The files of a target's /etc that are denizen's."""

    def __init__(self, root: TargetRoot) -> None:
        self._root = root

    def current(self) -> tuple[bytes, EtcRecord] | None:
        """Return the view in force and its record; None where no generation is active.

        Raises NotOursToSwitch, DamagedEtc, DiskFailed.
        """
        place = _ETC + STATIC
        with self._doing("read"):
            if self._root.facts(place) is None:
                return None
            view = view_of(self._root.link_target(place) or b"")
            if view is None:
                raise NotOursToSwitch(self._root.shown(place))
            return view, self._record(view)

    def record(self) -> EtcRecord:
        """Return the record of the view in force; an empty one where there is none. Raises as `current`."""
        found = self.current()
        return found[1] if found else EtcRecord()

    def plan(self, files: Sequence[PlacedFile], same: Collection[str] = ()) -> EtcPlan:
        """Return the plan from the files in force to others.

        `same` has the paths whose content is that of the generation in force.

        Raises EtcConflict, and as `current`.
        """
        found = self.current()
        before = found[1].paths if found else ()
        wanted = sorted(one.path for one in files)
        with self._doing("read"):
            observed = {path: self._kind(path) for path in {*before, *wanted}}
            aside = frozenset(path for path in before if self._root.facts(self._kept(path)) is not None)
            changed = frozenset(
                one.path
                for one in files
                if one.path in before and found and one.path not in same and not self._shows(found[0], one)
            )
        return plan_etc(before, wanted, observed, aside, changed)

    def recover(self) -> bool:
        """Undo or finish an interrupted activation; tell whether there was one. Raises as `current`."""
        found = self.current()
        with self._doing("put in order"):
            if found is None:
                leftover = bool(self._root.names(_ETC + VIEWS))
                self._remove_others(b"")
                return leftover
            view, record = found
            self._give_up((*record.added, *record.removed))
            if not record.is_settled:
                self._write_record(view, replace(record, added=(), removed=()))
            self._remove_others(view)
        return not record.is_settled

    def activate(self, generation: str, files: Sequence[PlacedFile], plan: EtcPlan) -> None:
        """Make these the files of /etc, as planned from the files in force.

        Raises:
            DiskFailed: a step failed; `recover` undoes or finishes what was begun.
        """
        found = self.current()
        before = found[1] if found else EtcRecord()
        wanted = tuple(sorted(one.path for one in files))
        with self._doing("switch"):
            self._root.make_directory(_ETC + VIEWS)
            made = self._take_over(found[0] if found else None, before, plan)
            paths = tuple(sorted({*wanted}))
            record = EtcRecord(generation, paths, (), plan.removed, tuple(sorted({*before.made, *made})))
            view = self._new_view()
            for one in files:
                self._place(view, one)
            for path in plan.restored:
                self._show_kept(view, path)
            self._put_in_force(view, record)
            self._give_up(record.removed)
            self._settle(view, record)

    def _take_over(self, old: bytes | None, before: EtcRecord, plan: EtcPlan) -> tuple[str, ...]:
        """Do steps 1 and 2; return the directories that were made for the links."""
        if not plan.added:
            return ()
        for path in plan.added:
            self._root.remove(self._kept(path), durable=False)
        for path in plan.kept:
            self._put_aside(path)
        directories = directories_of(plan.added)
        made = tuple(one for one in directories if self._root.facts(_ETC + one.encode()) is None)
        view = self._new_view()
        if old is not None:
            self._copy_view(old, view, b"")
        for path in plan.kept:
            self._show_kept(view, path)
        record = replace(before, added=plan.added, removed=(), made=tuple(sorted({*before.made, *made})))
        self._put_in_force(view, record)
        for one in made:
            self._root.make_directory(_ETC + one.encode())
        for path in plan.added:
            self._root.link(_ETC + path.encode(), _link_text(path), durable=False)
        # Before the rename that shows the new files: else a power failure could show some old ones with them.
        self._sync_places(plan.added)
        return made

    def _put_in_force(self, view: bytes, record: EtcRecord) -> None:
        self._write_record(view, record)
        self._sync_view(_ETC + VIEWS + b"/" + view)
        self._root.link(_ETC + STATIC, VIEWS + b"/" + view)

    def _settle(self, view: bytes, record: EtcRecord) -> None:
        """Forget what an activation needed; of no generation, forget everything."""
        if not record.paths:
            for one in reversed(record.made):
                self._root.remove_directory(_ETC + one.encode())
            self._root.remove(_ETC + STATIC)
            self._root.remove_tree(_ETC + OWN)
            return
        needed = set(directories_of(record.paths))
        for one in reversed(record.made):
            if one not in needed:
                self._root.remove_directory(_ETC + one.encode())
        made = tuple(one for one in record.made if one in needed)
        if record.removed or made != record.made:
            self._write_record(view, replace(record, removed=(), made=made))
        self._remove_others(view)

    def _give_up(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._take_back(path)
            self._root.forget_temporary(_ETC + path.encode())
        self._sync_places(paths)

    def _sync_places(self, paths: Sequence[str]) -> None:
        """Make the links at places of /etc durable, and what was put aside of them."""
        for directory in sorted({os.path.dirname(path.encode()) for path in paths}):
            for top in (_ETC, _ETC + KEPT + b"/"):
                self._root.sync((top + directory).rstrip(b"/"))

    def _take_back(self, path: str) -> None:
        """Give a place back to the file that was put aside, or to nothing, if it is still our link."""
        place, kept = _ETC + path.encode(), self._kept(path)
        if self._kind(path) is not PlaceKind.OURS:
            return
        if self._root.facts(kept) is not None:
            self._root.rename(kept, place, durable=False)
        else:
            self._root.remove(place, durable=False)

    def _put_aside(self, path: str) -> None:
        kept = self._kept(path)
        self._root.make_directory(os.path.dirname(kept))
        self._root.hard_link(_ETC + path.encode(), kept, durable=False)

    def _show_kept(self, view: bytes, path: str) -> None:
        """Let a view show the file that was put aside, or what a link that was put aside leads to."""
        place = self._in_view(view, path)
        target = self._root.link_target(self._kept(path))
        if target is None:
            self._root.hard_link(self._kept(path), place, durable=False)
            return
        if not target.startswith(b"/"):
            target = os.path.join(b"../" * (place.count(b"/")), _ETC + os.path.dirname(path.encode()), target)
        self._root.link(place, target, durable=False)

    def _place(self, view: bytes, one: PlacedFile) -> None:
        place = self._in_view(view, one.path)
        if one.target:
            self._root.link(place, _from_depth(place) + one.target, durable=False)
        else:
            self._root.write(place, one.content, one.mode, one.owner, durable=False)

    def _shows(self, view: bytes, one: PlacedFile) -> bool:
        place = _ETC + VIEWS + b"/" + view + b"/" + one.path.encode()
        if one.target:
            return self._root.link_target(place) == _from_depth(place) + one.target
        facts = self._root.facts(place)
        if facts is None or not stat.S_ISREG(facts.st_mode):
            return False
        owner = one.owner or (facts.st_uid, facts.st_gid)
        same = stat.S_IMODE(facts.st_mode) == one.mode and (facts.st_uid, facts.st_gid) == owner
        return same and self._root.read(place, len(one.content) + 1) == one.content

    def _in_view(self, view: bytes, path: str) -> bytes:
        place = _ETC + VIEWS + b"/" + view + b"/" + path.encode()
        self._root.make_directory(os.path.dirname(place))
        return place

    def _copy_view(self, old: bytes, new: bytes, inside: bytes) -> None:
        top = _ETC + VIEWS + b"/"
        self._root.make_directory(top + new + inside)
        for name in self._root.names(top + old + inside):
            below = inside + b"/" + name
            facts = self._root.facts(top + old + below)
            if facts is not None and stat.S_ISDIR(facts.st_mode):
                self._copy_view(old, new, below)
            else:
                self._root.hard_link(top + old + below, top + new + below, durable=False)

    def _sync_view(self, place: bytes) -> None:
        self._root.sync(place)
        for name in self._root.names(place):
            facts = self._root.facts(place + b"/" + name)
            if facts is not None and stat.S_ISDIR(facts.st_mode):
                self._sync_view(place + b"/" + name)

    def _new_view(self) -> bytes:
        """Make the directory of a view whose name no other has."""
        names = {name.removesuffix(RECORD) for name in self._root.names(_ETC + VIEWS)}
        number = max((int(name) for name in names if name.isdigit() and len(name) < 10), default=0) + 1
        self._root.make_directory(_ETC + VIEWS + b"/%d" % number)
        return b"%d" % number

    def _remove_others(self, view: bytes) -> None:
        for name in self._root.names(_ETC + VIEWS):
            if name not in (view, view + RECORD):
                self._root.remove_tree(_ETC + VIEWS + b"/" + name)
        if not view:
            self._root.remove_directory(_ETC + VIEWS)

    def _kind(self, path: str) -> PlaceKind:
        try:
            facts = self._root.facts(_ETC + path.encode())
        except OSError as problem:
            if problem.errno in (errno.ENOTDIR, errno.ELOOP):
                return PlaceKind.UNREACHABLE
            raise
        if facts is None:
            return PlaceKind.ABSENT
        if stat.S_ISLNK(facts.st_mode):
            ours = self._root.link_target(_ETC + path.encode()) == _link_text(path)
            return PlaceKind.OURS if ours else PlaceKind.LINK
        return PlaceKind.FILE if stat.S_ISREG(facts.st_mode) else PlaceKind.OTHER

    def _kept(self, path: str) -> bytes:
        return _ETC + KEPT + b"/" + path.encode()

    def _record(self, view: bytes) -> EtcRecord:
        place = _ETC + VIEWS + b"/" + view + RECORD
        return read_record(self._root.read(place, MAX_SIZE + 1) or b"", self._root.shown(place))

    def _write_record(self, view: bytes, record: EtcRecord) -> None:
        self._root.write(_ETC + VIEWS + b"/" + view + RECORD, write_record(record), 0o644)

    def _doing(self, what: str) -> AbstractContextManager[None]:
        return doing(f"{what} the files of", self._root.shown(b"etc"))


def _link_text(path: str) -> bytes:
    """Return the text of the link at a place of /etc."""
    return b"../" * path.count("/") + STATIC + b"/" + path.encode()


def _from_depth(place: bytes) -> bytes:
    """Return the way from the directory of `place` up to the target's top."""
    return b"../" * place.count(b"/")
