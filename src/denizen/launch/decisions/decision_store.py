"""Decisions on disk: written, found again for a moved program, and deleted when their program is gone.

A decision's garbage collector root keeps its objects from collection: `gcroots/decisions/DIRECTORY/NAME`, a
link to the directory of libraries, which refers to the packages. `expiry` deletes decisions whose program is
gone.
"""

from __future__ import annotations

import contextlib
import itertools
import os

from denizen.disk import PRIVATE, make_directories, write_atomically
from denizen.formats import storepath
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.decisions.program_identity import alias_name, identity_name
from denizen.launch.decisions.public_copies import publish, withdraw
from denizen.launch.dlopen_record import OPENED
from denizen.launch.fast_path import NAMED, VARIANTS, directory_of, lacks, read_decision, stored, untouched
from denizen.store.collection.gc_roots import add_link
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from denizen.formats.storepath import StorePath
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.program_identity import Identity
    from denizen.store.layout import StoreLayout

_ROOTS = b"decisions"


class DecisionStore(Value):
    """A directory of decisions that were made with the same options.

    Attributes:
        directory: path of the decisions.
        name: distinguishes its roots from those of other directories.
    """

    directory: bytes
    name: bytes

    def resource_tree(self, identity: Identity) -> bytes:
        """Return the path of the tree with files for fixed paths, of the program with this identity."""
        return os.path.join(self.directory, RESOURCE_TREES, identity_name(identity))

    def copy_directory(self, identity: Identity) -> bytes:
        """Return the path of the directory with the patched copy of the program with this identity."""
        return os.path.join(self.directory, COPIES, identity_name(identity))

    def write(self, decision: Decision, *, movable: bool) -> None:
        """Write a decision, under its second name too if it is valid wherever the program is.

        Raises OSError.
        """
        for place in self._directories():
            make_directories(place, 0o700)
        content = encode(decision)
        movable = movable and bool(decision.build_id)
        if movable:
            alias = alias_name(decision.build_id, decision.identity.size)
            write_atomically(os.path.join(self.directory, alias), content, mode=PRIVATE)
        name = identity_name(decision.identity)
        write_atomically(os.path.join(self.directory, name), content, mode=PRIVATE)
        publish(self.directory, decision, movable=movable)

    def _directories(self) -> tuple[bytes, ...]:
        """Return the directory of all decisions and those below it down to this one."""
        above = os.path.dirname(self.directory)
        if os.path.basename(above) != VARIANTS:
            return (self.directory,)
        return os.path.dirname(above), above, self.directory

    def write_named(self, layout: StoreLayout, name: bytes, decision: Decision) -> None:
        """Write the decision about a command of a profile, and keep its store objects as long as it lives.

        Root's profiles are everybody's: other users can open the file, but not list the directory.

        Raises OSError.
        """
        shared = os.geteuid() == 0
        directory = os.path.join(self.directory, NAMED)
        path = os.path.join(NAMED, name)
        roots = self._roots(path)
        for place in dict.fromkeys((decision.search, *decision.objects)):
            if os.path.dirname(place) == layout.physical:
                add_link(layout, next(roots), storepath.from_base(os.path.basename(place)))
        for place in (*self._directories(), directory):
            make_directories(place, 0o711 if shared else 0o700)
            if shared:
                os.chmod(place, 0o711)  # noqa: S103  # it cannot be listed, and its names are hashes
        mode = 0o644 if shared else PRIVATE
        write_atomically(os.path.join(self.directory, path), encode(decision), mode=mode)

    def moved(self, build_id: bytes, size: int, headers: bytes) -> Decision | None:
        """Return the decision about the same program content at another path.

        Return None unless its libraries all exist.
        """
        if not build_id:
            return None
        found = read_decision(os.path.join(self.directory, alias_name(build_id, size)))
        if found is None or found.headers != headers:
            return None
        return None if lacks(found) or found.generation < GENERATION else found

    def damaged(self, identity: Identity) -> set[bytes]:
        """Return the store trees in which a file that the decision names is missing or was modified.

        A tree that is not there is none of them: another process may put it there, whole, at any moment, and
        would lose it.
        """
        found = read_decision(os.path.join(self.directory, identity_name(identity)))
        if found is None:
            return set()
        store = os.path.realpath(os.path.dirname(found.search)) + b"/"
        damaged: set[bytes] = set()
        for path in stored(found):
            # Where the links end, which may be gone: the package, not the directory of links.
            place = os.path.realpath(path)
            tree = store + place[len(store) :].split(b"/")[0]
            if place.startswith(store) and os.path.lexists(tree) and not untouched(path):
                damaged.add(tree)
        return damaged

    def keep(self, layout: StoreLayout, decision: Decision) -> None:
        """Keep the decision's store objects from collection, by links below gcroots/.

        They are the directory of libraries, which refers to the packages, and the packages that were added
        for their files.
        """
        roots = self._roots(identity_name(decision.identity))
        for tree in (decision.search, *_besides(layout, decision)):
            add_link(layout, next(roots), storepath.from_base(os.path.basename(tree)))

    def keep_besides(
        self, layout: StoreLayout, decision: Decision, trees: Iterable[StorePath], name: bytes = b""
    ) -> None:
        """Keep store objects that were added while the program ran, as long as the decision.

        `name` is that of its file, below the directory, where it is kept by another than its identity's.
        """
        roots = self._roots(name or identity_name(decision.identity))
        for tree in trees:
            free = (root for root in roots if not os.path.lexists(os.path.join(layout.gcroots, root)))
            add_link(layout, next(free), tree)

    def decisions(self) -> Iterator[tuple[bytes, Decision | None]]:
        """Yield each decision with its file name; None in place of a file that is damaged or not trusted."""
        for name in self._names():
            yield name, read_decision(os.path.join(self.directory, name))

    def drop(self, layout: StoreLayout, name: bytes) -> None:
        """Delete a decision with its roots and copies."""
        import shutil  # with its compressors 5 ms, which no start and no answer needs

        for path in (name, os.path.join(MISSED, name)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.directory, path))
        withdraw(self.directory, name)
        for root in self._roots(name):
            try:
                os.unlink(os.path.join(layout.gcroots, root))
            except FileNotFoundError:
                break
        own = (OPENED,) if name.startswith(NAMED) else (COPIES, RESOURCE_TREES, OPENED)
        for kept in own:
            shutil.rmtree(os.path.join(self.directory, kept, os.path.basename(name)), ignore_errors=True)

    def missed_since(self, name: bytes, now: float) -> float:
        """Return the time of the first collection that missed the program, in seconds since 1970.

        It is `now` if this is the first.
        """
        mark = os.path.join(self.directory, MISSED, name)
        try:
            return os.stat(mark).st_mtime
        except FileNotFoundError:
            with contextlib.suppress(OSError):  # the disk is full: the next collection counts as the first
                make_directories(os.path.dirname(mark), 0o700)
                write_atomically(mark, b"", mode=PRIVATE)
            return now

    def found_again(self, names: Container[bytes]) -> None:
        """Delete the marks of `missed_since` except those of the decisions in `names`."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(os.path.join(self.directory, MISSED)):
                if name not in names:
                    os.unlink(os.path.join(self.directory, MISSED, name))

    def needed(self) -> set[bytes]:
        """Return the store paths that all its decisions need."""
        return {path for _, found in self.decisions() if found is not None for path in found.objects}

    def _roots(self, name: bytes) -> Iterator[bytes]:
        """Yield the links of a decision below gcroots/, in the order in which they are made."""
        first = os.path.join(_ROOTS, self.name, name)
        yield first
        for number in itertools.count(1):
            yield b"%b.%d" % (first, number)

    def _names(self) -> Iterator[bytes]:
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.directory):
                if name.count(b"-") in (2, 4) and not name.startswith(b"."):
                    yield name
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(os.path.join(self.directory, NAMED)):
                if not name.startswith(b"."):
                    yield os.path.join(NAMED, name)


def _besides(layout: StoreLayout, decision: Decision) -> list[bytes]:
    """Return the store trees to which no link among the libraries leads: packages added for their files."""
    linked = {os.readlink(os.path.join(decision.search, name)) for name in os.listdir(decision.search)}
    bases = {target.split(b"/")[1] for target in linked}
    trees = [path for path in decision.objects if os.path.dirname(path) == layout.physical]
    return [path for path in trees if path != decision.search and os.path.basename(path) not in bases]


# Patched copies of programs (strategies/patched_copy.py), a directory for each decision.
COPIES = b"copies"
# Files for paths that the host lacks (resources/resource_tree.py), a directory for each decision.
RESOURCE_TREES = b"resources"
# An empty file for each decision whose program is missing, with the time of the first collection to miss it.
MISSED = b"missed"


def decision_stores(decisions: bytes) -> list[DecisionStore]:
    """Return all directories of decisions: the plain one, and one for each set of options."""
    found = [variant(decisions, b"")]
    with contextlib.suppress(FileNotFoundError):
        found += [variant(decisions, name) for name in sorted(os.listdir(os.path.join(decisions, VARIANTS)))]
    return found


def variant(decisions: bytes, digest: bytes) -> DecisionStore:
    """Return the directory of decisions for a set of options; b"" is the plain one."""
    return DecisionStore(directory_of(decisions, digest), digest or b"plain")


def forget_unindexed(decisions: bytes) -> None:
    """Delete the decisions about programs that open libraries, or look for files, without an index.

    A static program's decision has no objects where no file of a package came. One that is kept by a name is
    of packages, which an index named.
    """
    for one in decision_stores(decisions):
        for name, found in one.decisions():
            lacked = found is not None and found.host and (found.opened or not found.objects)
            if found is not None and lacked and not found.command and not name.startswith(NAMED):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(one.directory, name))
