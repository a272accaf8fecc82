"""Trash: delete many trees by renaming them away, which is quick, and then unlinking them, which is slow.

The trash consists of several directories in the store directory, because rmdir(2) keeps the parent
directory locked until the disk has been told which blocks are free: processes that empty one directory
together would wait for each other. Each directory is filled and emptied by a process of its own
(docs/store.md has the figures).
"""

from __future__ import annotations

import contextlib
import itertools
import os

from denizen.disk import FULL
from denizen.process_pool import Helpers
from denizen.store.collection.remove import DIRECTORY, remove_tree
from denizen.store.progress import ignore
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self, TypeAlias

    from denizen.store.locks import StoreSession
    from denizen.store.progress import Told

    # (action of `Trash._do`, directory or descriptor, names)
    Order: TypeAlias = tuple[str, int | bytes, tuple[bytes, ...]]

# With fewer names than this for each, more processes cost more than they save.
MANY = 32
# Many more than processors, for they mostly wait: where a file system is mounted with discard and has no
# journal, unlink(2) and rmdir(2) return once the disk has forgotten each block.
_WORKERS = 16
# Names in one order at most; progress is reported once per order.
_SHARE = 64
# Average NAR bytes per file or directory, as found in packages.
_BYTES_OF_ONE = 32 * 1024


class Trash:
    """Trees that are renamed away and then unlinked, by several processes if there are many."""

    def __init__(self, directory: int, session: StoreSession, trees: int, nar_bytes: int) -> None:
        """Prepare for about `trees` trees out of `directory`, the store's, under names of this session.

        `nar_bytes` is the sum of their NAR sizes. Raises OSError, but not where the disk is full: then there
        are fewer trash directories, or none.
        """
        members = max(1, min(_WORKERS, trees, (trees + nar_bytes // _BYTES_OF_ONE) // MANY))
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
        """End the helper processes, even in the middle of an order."""
        self._helpers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(self, names: Sequence[bytes], elsewhere: int, files: Sequence[bytes]) -> None:
        """Rename the trees `names` into the trash; unlink `files` in the directory open as `elsewhere`.

        `elsewhere` must have been open when the helper processes started. A tree that is gone already is
        skipped; where the disk has no room for the new name, the tree is unlinked where it is.
        Raises OSError, HelperDied.
        """
        places = list(self._trees)
        moving: list[Order] = []
        # Smaller orders where there are few trees, so that all helpers get some.
        size = max(1, min(_SHARE, len(names) // self._members))
        for number, share in enumerate(_shares(names, size)):
            if places:
                place = places[number % len(places)]
                self._trees[place] += [b"%s/%s" % (place, name) for name in share]
                moving.append(("rename", place, share))
            else:
                moving.append(("remove", self._directory, share))
        unlinking: list[Order] = [("unlink", elsewhere, share) for share in _shares(files)]
        # Half of the helpers begin with renaming, for which they wait for each other, and half with
        # unlinking, for which they wait for the disk.
        step = self._members
        self._have_done([[*moving[m::step], *unlinking[m::step]][:: -1 if m % 2 else 1] for m in range(step)])

    def empty(self, told: Told = ignore) -> int:
        """Unlink all trees in the trash; return the bytes of disk freed since `fill`.

        Raises OSError, HelperDied. `told` is called once per order with the number of trees unlinked.
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
        """Have each sequence of orders carried out by one helper, in its order."""
        tasks = [[_Task(self, order, told) for order in sequence] for sequence in orders]
        if len(tasks) <= 1:
            for task in itertools.chain(*tasks):
                task.do()
            return
        from denizen.store.thread_pool import ThreadPool  # 3 ms, in which a small collection is done

        with contextlib.closing(ThreadPool(len(tasks))) as pool:
            try:
                for turn in itertools.zip_longest(*tasks):
                    for member, task in enumerate(turn):
                        if task is not None:
                            pool.tell(member, task)
                pool.finish()
            except BaseException:
                # Otherwise `ThreadPool.close` would wait for tasks that have begun: 64 trees of any size.
                self._helpers.close()
                raise

    def carry_out(self, order: Order, told: Told) -> None:
        """Send an order to a helper process and wait until it is done."""
        self._freed.append(self._helpers.do("delete from the store", order))
        told(len(order[2]))

    def _do(self, order: Order) -> int:
        """Carry out an order in a helper process; return the bytes of disk freed."""
        match order:
            case "rename", bytes() as place, names:
                return sum([_rename(self._directory, name, place) for name in names])
            case "remove", int() as parent, names:
                return sum([remove_tree(parent, name) for name in names])
            case "unlink", int() as parent, names:
                for name in names:
                    os.unlink(name, dir_fd=parent)
        return 0


class _Task(Value):
    """An order with the progress callback to call when it is done."""

    trash: Trash
    order: Order
    told: Told

    def do(self) -> None:
        self.trash.carry_out(self.order, self.told)

    def drop(self) -> None:
        """Do nothing: no resource is held."""


def _shares(names: Sequence[bytes], size: int = _SHARE) -> Iterator[tuple[bytes, ...]]:
    return (tuple(names[start : start + size]) for start in range(0, len(names), size))


def _rename(directory: int, name: bytes, place: bytes) -> int:
    """Rename a tree into the trash; return the bytes of disk freed, which is 0 unless it had to be unlinked.

    Where there is no room for the new name, the tree is unlinked.
    """
    away = b"%s/%s" % (place, name)
    try:
        try:
            os.rename(name, away, src_dir_fd=directory, dst_dir_fd=directory)
        except PermissionError:
            # Moving a directory changes its "..", which needs write permission on it, and objects are
            # read-only. Changed only after a refusal: root, who needs no permission, is spared the call.
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
    if error.errno not in FULL:
        raise error
