"""Deleting many trees: renaming them away, which is quick, and then unlinking them, which is not.

The trash is a number of directories in the store's, because rmdir(2) keeps the directory it removes from
locked until the disk has been told which blocks are free: who empty one directory together wait for each
other. Each directory is filled and emptied by a process of its own (docs/store.md has the figures).
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os

from denizen.helpers import Helpers
from denizen.store.collection.remove import DIRECTORY, remove_tree
from denizen.store.progress import ignore
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self, TypeAlias

    from denizen.store.locks import StoreSession
    from denizen.store.progress import Told

    # What to do (`Trash._do`), where, to which names.
    Order: TypeAlias = tuple[str, int | bytes, tuple[bytes, ...]]

# With fewer names than this for each, more processes cost more than they save.
MANY = 32
# Many more than processors, for they mostly wait: where a file system is mounted with discard and has no
# journal, unlink(2) and rmdir(2) return once the disk has forgotten each block.
_CREW = 16
# With more names than this in one order little would be told of progress.
_SHARE = 64
# A file or directory to so many bytes of NAR, as packages have them.
_BYTES_OF_ONE = 32 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Trash:
    """Trees that are renamed away and then unlinked, by a crew of processes if they are many."""

    def __init__(self, directory: int, session: StoreSession, trees: int, nar_bytes: int) -> None:
        """Room for about so many trees out of `directory`, the store's, under names of this session.

        Raises OSError, though not where the disk is full: there are fewer places then, or none.
        """
        members = max(1, min(_CREW, trees, (trees + nar_bytes // _BYTES_OF_ONE) // MANY))
        self._directory = directory
        self._trees: dict[bytes, list[bytes]] = {}
        for _ in range(min(trees, members)):
            name = session.new_tree()
            try:
                os.mkdir(name, 0o700, dir_fd=directory)
            except OSError as error:
                _unless_full(error)
                break
            self._trees[name] = []
        self._freed: list[int] = []
        self._helpers = Helpers(self._do, members if members > 1 else 0)
        self._members = members

    def close(self) -> None:
        """End the crew, whatever it is at."""
        self._helpers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(self, names: Sequence[bytes], elsewhere: int, files: Sequence[bytes]) -> None:
        """Rename trees away, and unlink files in the directory `elsewhere`, which was open at the beginning.

        A tree that is gone already is passed over; where the disk has no room for another name, it is
        unlinked where it is. Raises OSError, HelperDied.
        """
        places = list(self._trees)
        moving: list[Order] = []
        # A few large trees are spread over the members too.
        size = max(1, min(_SHARE, len(names) // self._members))
        for number, share in enumerate(_shares(names, size)):
            if places:
                place = places[number % len(places)]
                self._trees[place] += [b"%s/%s" % (place, name) for name in share]
                moving.append(("rename", place, share))
            else:
                moving.append(("remove", self._directory, share))
        unlinking: list[Order] = [("unlink", elsewhere, share) for share in _shares(files)]
        # Half of the members begin with renaming, which they wait for each other in, and half with unlinking,
        # in which they wait for the disk.
        step = self._members
        self._have_done([[*moving[m::step], *unlinking[m::step]][:: -1 if m % 2 else 1] for m in range(step)])

    def empty(self, told: Told = ignore) -> int:
        """Unlink all that was taken; the bytes of disk that gave back. Raises OSError, HelperDied.

        `told` hears of trees, not one by one.
        """
        self._have_done(
            [
                [("remove", self._directory, share) for share in _shares(trees)]
                for trees in self._trees.values()
            ],
            told,
        )
        return sum(self._freed) + sum([remove_tree(self._directory, place) for place in self._trees])

    def _have_done(self, orders: Sequence[Sequence[Order]], told: Told = ignore) -> None:
        """Have each sequence done in its order by one member."""
        tasks = [[_Task(self, order, told) for order in sequence] for sequence in orders]
        if len(tasks) <= 1:
            for task in itertools.chain(*tasks):
                task.do()
            return
        from denizen.store.worker_pool import Crew  # 3 ms, in which a small collection is done

        with contextlib.closing(Crew(len(tasks))) as crew:
            try:
                for turn in itertools.zip_longest(*tasks):
                    for member, task in enumerate(turn):
                        if task is not None:
                            crew.tell(member, task)
                crew.finish()
            except BaseException:
                # Or what they are at would be waited for: 64 trees of any size.
                self._helpers.close()
                raise

    def carry_out(self, order: Order, told: Told) -> None:
        """Have a member do something, and wait until it is done."""
        self._freed.append(self._helpers.do("delete from the store", order))
        told(len(order[2]))

    def _do(self, order: Order) -> int:
        """What a member does; the bytes of disk it gave back."""
        match order:
            case "rename", bytes() as place, names:
                return sum([_rename(self._directory, name, place) for name in names])
            case "remove", int() as parent, names:
                return sum([remove_tree(parent, name) for name in names])
            case "unlink", int() as parent, names:
                for name in names:
                    os.unlink(name, dir_fd=parent)
        return 0


@value
class _Task:
    """An order, and who is to hear that it was obeyed."""

    trash: Trash
    order: Order
    told: Told

    def do(self) -> None:
        self.trash.carry_out(self.order, self.told)

    def drop(self) -> None:
        """Nothing is held."""


def _shares(names: Sequence[bytes], size: int = _SHARE) -> Iterator[tuple[bytes, ...]]:
    return (tuple(names[start : start + size]) for start in range(0, len(names), size))


def _rename(directory: int, name: bytes, place: bytes) -> int:
    """Rename a tree away, or unlink it if there is no room for that; the bytes of disk this gave back."""
    away = b"%s/%s" % (place, name)
    try:
        try:
            os.rename(name, away, src_dir_fd=directory, dst_dir_fd=directory)
        except PermissionError:
            # In another directory its ".." is another, and writing that takes a right objects do not give.
            # Root, who may anyway, is spared the asking.
            _allow_writing(directory, name)
            os.rename(name, away, src_dir_fd=directory, dst_dir_fd=directory)
    except FileNotFoundError:
        return 0
    except OSError as error:
        _unless_full(error)
        return remove_tree(directory, name)
    return 0


def _allow_writing(directory: int, name: bytes) -> None:
    descriptor = os.open(name, DIRECTORY, dir_fd=directory)
    try:
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def _unless_full(error: OSError) -> None:
    if error.errno not in _FULL:
        raise error
