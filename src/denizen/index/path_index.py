"""The path index of one suite and architecture: every path of the archive with its packages.

7.3 million paths are stored as runs of names that share directory and owner:
    names        newline, then each name and a newline: a literal is searched for at memory speed
    runs         u32 triples: where in `names` the run begins, number of its directory, number of its owner
    dirs         directories, sorted
    stretches    u32 pairs, by directory: the first run of a stretch of one directory, the first after it
    stretches.at for each directory its first stretch, and at the end how many there are
    owners       packages, joined by commas, in order of first appearance
That is a third of the paths written out (200 MB instead of 670 for bookworm).

path_glob.py says what a glob matches.
"""

from __future__ import annotations

import struct

from denizen.index.index_file import DamagedIndex, IndexFile
from denizen.index.path_glob import directory_test, first_literal, is_glob, longest_literal, name_test

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Sequence
    from re import Pattern
    from typing import TypeAlias

    from denizen.formats.contents import Group
    from denizen.index.index_file import Writer
    from denizen.sources.base import Snapshot

    # (offset of its names, number of its directory, number of its owners); a tuple because a glob may read a
    # million.
    Run: TypeAlias = tuple[int, int, int]

_RUN = struct.Struct("<III")
# Sorts after every name with the same prefix: NAME_MAX is 255.
_HIGHEST = b"\xff" * 256
# Runs written at once; with so many, writing costs next to nothing beside parsing.
_BATCH = 4096


class PathIndex:
    """A path index opened for reading."""

    def __init__(self, path: bytes) -> None:
        self._file = IndexFile(path)
        self._map = self._file.map
        self._names, self._names_end = self._file.bounds("names")
        self._runs, runs_end = self._file.bounds("runs")
        self._count = (runs_end - self._runs) // _RUN.size
        self._dirs = self._file.lines("dirs")
        self._owners = self._file.lines("owners")
        self._stretches = self._file.numbers("stretches")
        self._first_stretches = self._file.numbers("stretches.at")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def count(self) -> int:
        """Return the number of paths."""
        (total,) = struct.unpack_from("<Q", self._map, self._file.bounds("count")[0])
        return int(total)

    def exact(self, path: bytes) -> list[tuple[bytes, bytes]]:
        """Return (path, package) of each package that has exactly this absolute path."""
        directory, _, name = path.strip(b"/").rpartition(b"/")
        return self.named(name, (directory,))

    def named(self, name: bytes, directories: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
        """Return (path, package) of each file of that name in one of the directories (no slashes around)."""
        key = b"\n" + name + b"\n"
        return [
            (_joined(directory, name), owner)
            for directory in directories
            for start, end in self._stretches_of(directory)
            # Search from the newline that ends the preceding name.
            if (position := self._map.find(key, self._start_of(start) - 1, self._start_of(end))) >= 0
            for owner in self._owners_of(self._run_at(position + 1))
        ]

    def matching(self, glob: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (path, package) of every path that matches, in no particular order. Raises DamagedIndex."""
        directory, slash, name = glob.rpartition(b"/")
        if not slash or directory == b"**":
            hits = self._hits(name, None) if name.strip(b"*") else self._all_in(range(len(self._dirs)))
        elif is_glob(directory):
            test = directory_test(directory)
            # If every name in the directories matches, the names need not be searched.
            hits = (
                self._hits(name, test) if name.strip(b"*") else self._all_in(self._accepted(test, directory))
            )
        else:
            hits = self._in_directory(directory.strip(b"/"), name_test(name))
        for (_, number, owners), found in hits:
            path = _joined(self._dirs[number], found)
            for owner in self._owners[owners].split(b","):
                yield path, owner

    def like(self, pattern: Pattern[bytes], directories: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield (path, package) of each file in the directories (no slashes around) whose name matches."""
        for directory in directories:
            for (_, _, owners), name in self._in_directory(directory, pattern):
                for owner in self._owners[owners].split(b","):
                    yield _joined(directory, name), owner

    def _hits(self, name: bytes, accepts: Pattern[bytes] | None) -> Iterator[tuple[Run, bytes]]:
        """Yield (run, name) of each name that matches a glob's last component, in accepted directories."""
        accepted: dict[int, bool] = {}
        for position, found in self._names_like(name):
            run = self._run_at(position)
            number = run[1]
            if accepts is not None and number not in accepted:
                accepted[number] = accepts.match(self._dirs[number]) is not None
            if accepts is None or accepted[number]:
                yield run, found

    def _names_like(self, glob: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (position, name) of each name that matches."""
        literal = longest_literal(glob)
        needle, before = (b"\n" + glob + b"\n", 1) if literal == glob else (literal, 0)
        pattern = name_test(glob)
        position = self._map.find(needle, self._names, self._names_end)
        while position >= 0:
            start = self._map.rfind(b"\n", self._names, position + before) + 1
            end = self._map.find(b"\n", start, self._names_end)
            found = self._map[start:end]
            if pattern.match(found):
                yield start, found
            position = self._map.find(needle, end, self._names_end)

    def _in_directory(self, directory: bytes, pattern: Pattern[bytes]) -> Iterator[tuple[Run, bytes]]:
        number = self._number_of(directory)
        if number is not None:
            yield from ((run, name) for run, name in self._all_in((number,)) if pattern.match(name))

    def _accepted(self, test: Pattern[bytes], directory: bytes) -> list[int]:
        """Return the numbers of the directories that match a glob."""
        glob = directory.strip(b"/")
        prefix = first_literal(glob).rstrip(b"/")
        first, end = 0, len(self._dirs)
        if glob.startswith(prefix):
            first = self._dirs.first_at_or_after(prefix)
            end = self._dirs.first_at_or_after(prefix + _HIGHEST)
        return [number for number in range(first, end) if test.match(self._dirs[number])]

    def _all_in(self, directories: Iterable[int]) -> Iterator[tuple[Run, bytes]]:
        for number in directories:
            for first, after in self._stretches_at(number):
                for index in range(first, after):
                    run = self._run(index)
                    names = self._map[self._start_of(index) : self._start_of(index + 1)]
                    for name in names.split(b"\n")[:-1]:
                        yield run, name

    def _number_of(self, directory: bytes) -> int | None:
        number = self._dirs.first_at_or_after(directory)
        return number if number < len(self._dirs) and self._dirs[number] == directory else None

    def _stretches_of(self, directory: bytes) -> list[tuple[int, int]]:
        number = self._number_of(directory)
        return [] if number is None else self._stretches_at(number)

    def _stretches_at(self, number: int) -> list[tuple[int, int]]:
        """Return (first run, run after the last) of each stretch of a directory."""
        first, end = self._first_stretches[number], self._first_stretches[number + 1]
        return [(self._stretches[2 * at], self._stretches[2 * at + 1]) for at in range(first, end)]

    def _owners_of(self, run: Run) -> list[bytes]:
        return self._owners[run[2]].split(b",")

    def _run(self, index: int) -> Run:
        if not 0 <= index < self._count:
            raise DamagedIndex(self._file.path, f"there is no run {index}")
        start, directory, owner = _RUN.unpack_from(self._map, self._runs + index * _RUN.size)
        return start, directory, owner

    def _start_of(self, index: int) -> int:
        """Return the offset in the map at which a run's names begin.

        For the number after the last run it is the end of all names.
        """
        return self._names_end if index == self._count else self._names + self._run(index)[0]

    def _run_at(self, position: int) -> Run:
        """Return the run that the name at an offset of the map belongs to."""
        offset = position - self._names
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if _RUN.unpack_from(self._map, self._runs + middle * _RUN.size)[0] <= offset:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            raise DamagedIndex(self._file.path, "a name is in no run")
        return self._run(low - 1)


def _joined(directory: bytes, name: bytes) -> bytes:
    return b"/" + directory + b"/" + name if directory else b"/" + name


def write_paths(writer: Writer, snapshot: Snapshot, runs: Iterable[Group]) -> int:
    """Write the tables from the runs of a source; return the number of paths."""
    made = _Tables()
    writer.lines("about", [b"source\t" + snapshot.source.encode(), b"suite\t" + snapshot.suite.encode()])
    writer.section("names", made.names(runs))
    writer.section("count", [struct.pack("<Q", made.total)])
    directories = sorted(made.directories)
    made.renumber(directories)
    writer.numbers("runs", made.runs)
    writer.lines("dirs", directories)
    stretches, firsts = made.stretches(len(directories))
    writer.numbers("stretches", stretches)
    writer.numbers("stretches.at", firsts)
    writer.lines("owners", [b",".join(_packages(location)) for location in made.owners])
    return made.total


class _Tables:
    """The tables that are collected while the names are written."""

    def __init__(self) -> None:
        from array import array as new_array

        self.directories: dict[bytes, int] = {}
        self.owners: dict[bytes, int] = {}
        self.runs = new_array("I")
        self.total = 0

    def names(self, groups: Iterable[Group]) -> Iterator[bytes]:
        """Yield the section of names in pieces."""
        directories, owners, runs = self.directories, self.owners, self.runs
        position = 1
        batch = [b""]
        for directory, location, names in groups:
            block = b"\n".join(names)
            number = directories.setdefault(directory, len(directories))
            owner = owners.setdefault(location, len(owners))
            runs.extend((position, number, owner))
            position += len(block) + 1
            self.total += len(names)
            batch.append(block)
            if len(batch) >= _BATCH:
                yield b"\n".join(batch)
                batch = [b""]
        yield b"\n".join([*batch, b""])

    def renumber(self, directories: Sequence[bytes]) -> None:
        """Change the numbers of directories to their order in `directories`."""
        new = [0] * len(directories)
        for number, directory in enumerate(directories):
            new[self.directories[directory]] = number
        self.runs[1::3] = type(self.runs)("I", map(new.__getitem__, self.runs[1::3]))

    def stretches(self, count: int) -> tuple[array[int], array[int]]:
        """Return the sections `stretches` and `stretches.at` of `count` directories."""
        numbers = self.runs[1::3]
        # Contents are sorted by path: nearly all directories have one stretch, or one for each file.
        begins = [index for index, number in enumerate(numbers) if index == 0 or numbers[index - 1] != number]
        ends = [*begins[1:], len(numbers)]
        order = sorted(range(len(begins)), key=lambda at: numbers[begins[at]])
        firsts = type(self.runs)("I", bytes(4 * (count + 1)))
        stretches = type(self.runs)("I")
        for at in order:
            stretches.extend((begins[at], ends[at]))
            firsts[numbers[begins[at]] + 1] += 1
        for number in range(count):
            firsts[number + 1] += firsts[number]
        return stretches, firsts


def _packages(location: bytes) -> list[bytes]:
    return [name.rpartition(b"/")[2] for name in location.split(b",")]
