"""The facts of a package that a dynamic linker needs, read once for each .deb hash and kept on disk.

A directory for each package, named by the .deb's SHA-256: `index`, and a sparse file for each library
(`skeleton`). It is written under a temporary name and renamed, so it is complete or not there.

    index       a line each, tab separated, sorted by path:
                  file  PATH  NUMBER  SIZE      a library; its skeleton is the file NUMBER
                  link  PATH  TARGET            a symbolic link
    PATH        without a slash before it, as on a system with merged /usr
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from itertools import chain, count

from denizen.disk import make_directories, naming
from denizen.disk_view import DiskView
from denizen.fileview import MAX_LINKS
from denizen.formats.archive_tree import Layout
from denizen.formats.deb import Deb
from denizen.formats.file_tree import File, HardLink, Symlink
from denizen.resolve.cache.elf_skeleton import kept_ranges
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from io import FileIO

    from denizen.build.read_packages import ReadPackages
    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import ArchiveEntry

# libwebkit2gtk and libLLVM have 100 to 130 MB; a library beyond this is left out.
MAX_LIBRARY = 1 << 30
_INDEX = b"index"


class PackageFacts(Value):
    """The libraries and links of one package.

    Attributes:
        skeletons: path in the package -> path of the skeleton file on this machine.
        sizes: path in the package -> bytes of the real file.
        links: path in the package -> target as written.
        by_name: file name -> paths of libraries and links with this name, sorted.
    """

    skeletons: Mapping[bytes, bytes]
    sizes: Mapping[bytes, int]
    links: Mapping[bytes, bytes]
    by_name: Mapping[bytes, tuple[bytes, ...]]

    def file(self, path: bytes) -> bytes | None:
        """Return the library that a path in the package leads to, with links followed.

        Return None if it leads to none.
        """
        path = merged(path)
        for _ in range(MAX_LINKS):
            if path in self.skeletons:
                return path
            if path not in self.links:
                return None
            target = self.links[path]
            parent = b"" if target.startswith(b"/") else posixpath.dirname(path)
            path = merged(posixpath.normpath(posixpath.join(b"/" + parent, target)))
        return None

    def read(self, path: bytes) -> Buffer:
        """Return the skeleton of a library whose path `file` returned. Raises OSError."""
        return DiskView().read(self.skeletons[path])

    def named(self, name: bytes) -> bytes | None:
        """Return the library that a file or link of this name leads to, the first by path; None for none."""
        return next((found for path in self.by_name.get(name, ()) if (found := self.file(path))), None)


def package_facts(
    skeletons: Mapping[bytes, bytes], sizes: Mapping[bytes, int], links: Mapping[bytes, bytes]
) -> PackageFacts:
    """Return the facts of a package, with its paths ordered by file name."""
    by_name: dict[bytes, tuple[bytes, ...]] = {}
    for path in sorted([*skeletons, *links]):
        name = path.rpartition(b"/")[2]
        by_name[name] = (*by_name.get(name, ()), path)
    return PackageFacts(skeletons, sizes, links, by_name)


def merged(path: bytes) -> bytes:
    """Return a path in a package as it is on a system with merged /usr, without a slash before it."""
    path = path.lstrip(b"/")
    top = path.partition(b"/")[0]
    return b"usr/" + path if top in (b"bin", b"sbin") or top.startswith(b"lib") else path


class FactsCache:
    """The facts of packages, in a directory."""

    def __init__(self, directory: bytes, read: ReadPackages | None = None) -> None:
        """Use `directory`; the content of packages that are read is kept in `read`, for unpacking them."""
        self._directory = directory
        self._read = read
        self._known: dict[bytes, PackageFacts] = {}

    def get(self, sha256: bytes) -> PackageFacts | None:
        """Return the facts of a package by its .deb's hash; None if it was not read yet."""
        known = self._known.get(sha256)
        if known is None:
            place = os.path.join(self._directory, sha256)
            try:
                with open(os.path.join(place, _INDEX), "rb") as stream:
                    known = self._known[sha256] = _parse(stream.read(), place)
            except FileNotFoundError:
                return None
        return known

    def learn(self, sha256: bytes, deb: bytes) -> PackageFacts:
        """Read the verified .deb at a path; store and return its facts.

        Raises:
            NotPromised: it does not have this hash any more, and was to be kept for unpacking.
            BadInput: the package is malformed.
            OSError: it cannot be read, or the disk is full.
        """
        import shutil
        import tempfile

        make_directories(self._directory)
        temporary = os.fsencode(tempfile.mkdtemp(prefix="new-", dir=os.fsdecode(self._directory)))
        try:
            with naming(self._directory), open(deb, "rb", buffering=0) as stream:
                numbers = count()
                lines = [
                    line
                    for entry in self._entries(stream, sha256, deb)
                    for line in _keep(entry, temporary, numbers)
                ]
            with naming(self._directory), open(os.path.join(temporary, _INDEX), "wb") as index:
                index.write(b"".join(sorted(lines)))
            # Another process may have written the same facts meanwhile.
            with contextlib.suppress(FileExistsError):
                _rename(temporary, os.path.join(self._directory, sha256))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        facts = self.get(sha256)
        assert facts is not None  # renamed just now, by us or by another
        return facts

    def _entries(self, stream: FileIO, sha256: bytes, deb: bytes) -> Iterable[ArchiveEntry]:
        """Return the tree of the package.

        If it is to be kept for unpacking, its hash is checked, and it is held in memory if there is room.
        """
        if self._read is None:
            return Deb(stream).entries(Layout.USR_MERGED)
        from denizen.build.package_unpack import check
        from denizen.build.read_packages import in_memory

        check(stream, deb, sha256)
        entries = Deb(stream).entries(Layout.USR_MERGED)
        held, whole = in_memory(entries, self._read.room)
        if not whole:
            return chain(held, entries)
        self._read.keep(sha256, held)
        return held


def _rename(directory: bytes, target: bytes) -> None:
    """Rename a directory.

    Raises FileExistsError if a non-empty target exists, for which the kernel has two errnos.
    """
    try:
        os.rename(directory, target)
    except OSError as problem:
        if problem.errno == errno.ENOTEMPTY:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from problem
        raise


def _keep(entry: ArchiveEntry, directory: bytes, numbers: Iterator[int]) -> list[bytes]:
    """Write the skeleton of one entry of a package; return its lines for the index file."""
    if isinstance(entry, Symlink):
        return [b"link\t%b\t%b\n" % (entry.path, entry.target)] if _is_line(entry.path + entry.target) else []
    if isinstance(entry, HardLink):
        return [b"link\t%b\t/%b\n" % (entry.path, entry.existing)] if b".so" in entry.path else []
    if not isinstance(entry, File) or not _may_be_library(entry):
        return []
    content = b"".join([bytes(piece) for piece in entry.content])
    ranges = kept_ranges(content)
    if not ranges:
        return []
    if _is_interpreter(entry.path):
        # The linker model reads the dynamic linker's directories and version out of its constants.
        ranges = ((0, len(content)),)
    number = next(numbers)
    with open(os.path.join(directory, b"%d" % number), "wb") as file:
        for start, end in ranges:
            file.seek(start)
            file.write(content[start:end])
        file.truncate(len(content))
    return [b"file\t%b\t%d\t%d\n" % (entry.path, number, len(content))]


def _may_be_library(entry: File) -> bool:
    name = entry.path.rpartition(b"/")[2]
    is_named = b".so" in name and not _is_converter(entry.path)
    return is_named and _is_line(entry.path) and entry.size <= MAX_LIBRARY


def _is_converter(path: bytes) -> bool:
    """Tell from the path whether only the C library opens it (a gconv module).

    libc6 has 250 of these beside 23 libraries; writing their skeletons took a third of the time of reading
    it.
    """
    return b"/gconv/" in path


def _is_interpreter(path: bytes) -> bool:
    name = path.rpartition(b"/")[2]
    # musl's dynamic linker and libc are one file, libc.so.
    return name.startswith((b"ld-", b"ld.so", b"ld64.so")) or name == b"libc.so"


def _is_line(text: bytes) -> bool:
    return b"\t" not in text and b"\n" not in text


def _parse(text: bytes, place: bytes) -> PackageFacts:
    skeletons, sizes, links = {}, {}, {}
    for line in text.splitlines():
        kind, path, *rest = line.split(b"\t")
        if _is_converter(path):
            continue  # the cache is of an older version
        if kind == b"file":
            skeletons[path] = os.path.join(place, rest[0])
            sizes[path] = int(rest[1])
        else:
            links[path] = rest[0]
    return package_facts(skeletons, sizes, links)
