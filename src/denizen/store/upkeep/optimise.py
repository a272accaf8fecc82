"""Deduplication: replace identical files in the store by hard links to one file.

`.denizen/links/<digest>` is one more hard link of a file with that content: the digest is over the
execute bit and the content. A file is replaced only by one whose bytes were compared with its own; if the
digest alone were trusted, a damaged file would replace intact ones. Files in the store are never written
in place: a repair makes new files, so it cannot change what other objects share.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat

from denizen.disk import ST_BLOCK
from denizen.formats import base32
from denizen.store.errors import doing
from denizen.store.locks import StoreSession
from denizen.store.trees.canonical import STORE_TIMES, STORED
from denizen.store.trees.tree_reader import OPEN_DIRECTORY, OPEN_FILE, OpenDirectory, checked, names_in
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout
    from denizen.store.local import Store

_CHUNK = 1024 * 1024


class Saved(Value):
    """The result of linking: the number of files replaced by links, and the bytes of disk this freed."""

    files: int
    freed: int

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.files + other.files, self.freed + other.freed)


NOTHING = Saved(0, 0)


def optimise(store: Store, path: StorePath) -> Saved:
    """Replace the files of one object by hard links to identical files. Raises DiskFailed.

    The store's lock is held meanwhile, so that the object is not deleted or linked by two processes at once.
    """
    place = store.layout.place_of(path)
    with doing("link the files of", place), contextlib.ExitStack() as stack:
        parent = os.open(store.layout.physical, OPEN_DIRECTORY)
        stack.callback(os.close, parent)
        session = StoreSession(store.layout)
        stack.callback(session.close)
        stack.enter_context(store.locked())
        if store.database.find(path) is None:
            return NOTHING
        return _Linker(store.layout, session, parent).object(os.path.basename(place))


class _Linker(Value):
    """The state of a linking run: layout, session for temporary names, descriptor of the store directory."""

    layout: StoreLayout
    session: StoreSession
    store_directory: int

    def object(self, name: bytes) -> Saved:
        mode = os.stat(name, dir_fd=self.store_directory, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(mode):
            return self.file(self.store_directory, name)
        top = os.open(name, OPEN_DIRECTORY, dir_fd=self.store_directory)
        frames = [OpenDirectory(top, b"", names_in(top))]
        saved = NOTHING
        try:
            while frames:
                frame = frames[-1]
                if not frame.left:
                    os.close(frames.pop().descriptor)
                    continue
                name, kind = frame.left.pop()
                if kind == stat.S_IFDIR:
                    inside = checked(frame.inside, name, len(frames))
                    child = os.open(name, OPEN_DIRECTORY, dir_fd=frame.descriptor)
                    frames.append(OpenDirectory(child, inside, names_in(child)))
                elif kind == stat.S_IFREG:
                    saved += self.file(frame.descriptor, name)
        finally:
            for frame in frames:
                os.close(frame.descriptor)
        return saved

    def file(self, directory: int, name: bytes) -> Saved:
        facts = os.stat(name, dir_fd=directory, follow_symlinks=False)
        # Empty files take no blocks, and linking them by the thousand reaches the file system's link limit.
        if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
            return NOTHING
        link = self.layout.links + b"/" + _digest_file(directory, name)
        try:
            other = os.lstat(link)
        except FileNotFoundError:
            os.link(name, link, src_dir_fd=directory, follow_symlinks=False)
            return NOTHING
        if (other.st_dev, other.st_ino) == (facts.st_dev, facts.st_ino):
            return NOTHING
        if other.st_mode != facts.st_mode or not _same_content(directory, name, link):
            # Its content does not match its digest. `verification` finds the objects that share it.
            os.unlink(link)
            return NOTHING
        return self._replace(directory, name, link, facts)

    def _replace(self, directory: int, name: bytes, link: bytes, facts: os.stat_result) -> Saved:
        # The temporary name is in the store directory, so that the object never holds an extra file.
        temporary = self.session.new_tree()
        try:
            os.link(link, temporary, dst_dir_fd=self.store_directory, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.EMLINK:
                return NOTHING
            raise
        inside = directory != self.store_directory
        if inside:
            os.fchmod(directory, 0o755)
        try:
            os.rename(temporary, name, src_dir_fd=self.store_directory, dst_dir_fd=directory)
        finally:
            if inside:
                os.fchmod(directory, STORED.executable)
                os.utime(directory, ns=STORE_TIMES)
        return Saved(1, facts.st_blocks * ST_BLOCK if facts.st_nlink == 1 else 0)


def _digest_file(directory: int, name: bytes) -> bytes:
    sha256 = hashlib.sha256()
    descriptor = os.open(name, OPEN_FILE, dir_fd=directory)
    try:
        executable = os.fstat(descriptor).st_mode & stat.S_IXUSR
        sha256.update(b"executable\0" if executable else b"plain\0")
        while piece := os.read(descriptor, _CHUNK):
            sha256.update(piece)
    finally:
        os.close(descriptor)
    return base32.encode(sha256.digest()).encode("ascii")


def _same_content(directory: int, name: bytes, link: bytes) -> bool:
    one = os.open(name, OPEN_FILE, dir_fd=directory)
    try:
        two = os.open(link, OPEN_FILE)
        try:
            while piece := os.read(one, _CHUNK):
                if piece != os.read(two, _CHUNK):
                    return False
            return not os.read(two, 1)
        finally:
            os.close(two)
    finally:
        os.close(one)


def prune_links(layout: StoreLayout) -> int:
    """Remove names in `.denizen/links` whose file no object has any more; return the bytes of disk freed."""
    freed = 0
    for name in os.listdir(layout.links):
        place = layout.links + b"/" + name
        with contextlib.suppress(FileNotFoundError):
            facts = os.lstat(place)
            if facts.st_nlink == 1:
                os.unlink(place)
                freed += facts.st_blocks * ST_BLOCK
    return freed
