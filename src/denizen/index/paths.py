"""The path index of one suite and architecture: every path of the archive, and who has it.

7.3 million paths are stored as runs of names that share directory and owner:
    names    newline, then each name and a newline: a literal is searched for at memory speed
    runs     u32 triples: where in `names` the run begins, number of its directory, number of its owner
    dirs     directories, in order of first appearance
    owners   packages, joined by commas, in order of first appearance
That is a third of the paths written out (200 MB instead of 670 for bookworm).

A glob is split at its last slash. `*` and `?` do not match a slash, `**` matches any number of
directories; a glob without a slash is one for the last component alone.
"""

from __future__ import annotations

import struct

from denizen.index.file import DamagedIndex, IndexFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator
    from re import Pattern

    from denizen.formats.contents import Group
    from denizen.index.file import Writer
    from denizen.sources.base import Snapshot

_RUN = struct.Struct("<III")
# Names are written in pieces of this many runs: enough that writing costs nothing beside parsing.
_BATCH = 4096


class Paths:
    """A path index that is read."""

    def __init__(self, path: bytes) -> None:
        self._file = IndexFile(path)
        self._map = self._file.map
        self._names, self._names_end = self._file.bounds("names")
        self._runs, runs_end = self._file.bounds("runs")
        self._count = (runs_end - self._runs) // _RUN.size
        self._dirs = self._file.lines("dirs")
        self._owners = self._file.lines("owners")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def count(self) -> int:
        """How many paths there are."""
        (total,) = struct.unpack_from("<Q", self._map, self._file.bounds("count")[0])
        return int(total)

    def exact(self, path: bytes) -> list[tuple[bytes, bytes]]:
        """(path, package) of each package that has exactly this absolute path."""
        directory, _, name = path.strip(b"/").rpartition(b"/")
        return [
            (path, owner)
            for run in self._runs_with(name)
            if self._dirs[run[1]] == directory
            for owner in self._owners[run[2]].split(b",")
        ]

    def named(self, name: bytes, directories: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
        """(path, package) of each file of that name in one of the directories (no slashes around)."""
        wanted = set(directories)
        return [
            (b"/" + directory + b"/" + name, owner)
            for run in self._runs_with(name)
            if (directory := self._dirs[run[1]]) in wanted
            for owner in self._owners[run[2]].split(b",")
        ]

    def matching(self, glob: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(path, package) of every path that matches, in no particular order. Raises DamagedIndex."""
        directory, slash, name = glob.rpartition(b"/")
        accepts = _directory_test(directory) if slash and directory != b"**" else None
        # For everything in some directories there is nothing to search for in the names.
        hits = self._hits(name) if name.strip(b"*") else self._all_in(_directory_test(directory))
        judged: dict[int, bool] = {}
        for run, found in hits:
            number = run[1]
            if accepts is not None and number not in judged:
                judged[number] = accepts.match(self._dirs[number]) is not None
            if accepts is None or judged[number]:
                parent = self._dirs[number]
                path = b"/" + parent + b"/" + found if parent else b"/" + found
                for owner in self._owners[run[2]].split(b","):
                    yield path, owner

    def _hits(self, name: bytes) -> Iterator[tuple[tuple[int, int, int], bytes]]:
        """(run, name) of each name that matches the last component of a glob."""
        literal = longest_literal(name)
        if literal == name:
            yield from ((run, name) for run in self._runs_with(name))
            return
        pattern = _name_test(name)
        position = self._map.find(literal, self._names, self._names_end)
        while position >= 0:
            start = self._map.rfind(b"\n", self._names, position) + 1
            end = self._map.find(b"\n", position, self._names_end)
            found = self._map[start:end]
            if pattern.match(found):
                yield self._run_at(start), found
            position = self._map.find(literal, end, self._names_end)

    def _runs_with(self, name: bytes) -> Iterator[tuple[int, int, int]]:
        key = b"\n" + name + b"\n"
        position = self._map.find(key, self._names, self._names_end)
        while position >= 0:
            yield self._run_at(position + 1)
            position = self._map.find(key, position + len(name) + 1, self._names_end)

    def _all_in(self, accepts: Pattern[bytes]) -> Iterator[tuple[tuple[int, int, int], bytes]]:
        wanted = {number for number, line in enumerate(self._dirs) if accepts.match(line)}
        if not wanted:
            return
        runs = list(_RUN.iter_unpack(self._map[self._runs : self._runs + self._count * _RUN.size]))
        for number, run in enumerate(runs):
            if run[1] in wanted:
                end = runs[number + 1][0] if number + 1 < len(runs) else self._names_end - self._names
                names = self._map[self._names + run[0] : self._names + end]
                for name in names.split(b"\n")[:-1]:
                    yield run, name

    def _run_at(self, position: int) -> tuple[int, int, int]:
        """The run the name at a position of the map belongs to."""
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
        start, directory, owner = _RUN.unpack_from(self._map, self._runs + (low - 1) * _RUN.size)
        return start, directory, owner


def longest_literal(glob: bytes) -> bytes:
    """The longest stretch of a glob without wildcards: what is searched for."""
    return max((piece for wild, piece in _pieces(glob) if not wild), key=len, default=b"")


def expression(glob: bytes) -> bytes:
    """The regular expression a glob within one path component stands for."""
    import re

    return b"".join([_wild(piece) if is_wild else re.escape(piece) for is_wild, piece in _pieces(glob)])


def _wild(piece: bytes) -> bytes:
    if piece == b"*":
        return b"[^/]*"
    if piece == b"?":
        return b"[^/]"
    negated = piece[1:2] == b"!"
    members = b"".join([b"\\x%02x" % code for code in _members(piece[2 if negated else 1 : -1])])
    if not members:
        # A range that runs backwards has no members.
        return b"[^/]" if negated else b"(?!)"
    return b"[^/" + members + b"]" if negated else b"[" + members + b"]"


def _members(inside: bytes) -> list[int]:
    codes: list[int] = []
    position = 0
    while position < len(inside):
        if inside[position + 1 : position + 2] == b"-" and position + 2 < len(inside):
            codes += range(inside[position], inside[position + 2] + 1)
            position += 3
        else:
            codes.append(inside[position])
            position += 1
    return codes


def _pieces(glob: bytes) -> Iterator[tuple[bool, bytes]]:
    """A glob cut into literals (False) and wildcards (True)."""
    start = position = 0
    while position < len(glob):
        length = _wild_length(glob, position)
        if length:
            if start < position:
                yield False, glob[start:position]
            yield True, glob[position : position + length]
            start = position + length
        position += length or 1
    if start < position:
        yield False, glob[start:]


def _wild_length(glob: bytes, position: int) -> int:
    character = glob[position : position + 1]
    if character in (b"*", b"?"):
        return 1
    # As fnmatch has it: a bracket right after the opening one is a member, none at all is a literal.
    end = glob.find(b"]", position + (3 if glob[position + 1 : position + 2] == b"!" else 2))
    return end + 1 - position if character == b"[" and end > 0 else 0


def _name_test(name: bytes) -> Pattern[bytes]:
    import re

    return re.compile(expression(name) + rb"\Z")


def _directory_test(directory: bytes) -> Pattern[bytes]:
    import re

    parts = [part for part in directory.split(b"/") if part]
    # "**" takes the slash after it along, so that it also matches no directory at all.
    pieces = [rb"(?:[^/]+/)*" if part == b"**" else expression(part) + b"/" for part in parts]
    if pieces and parts[-1] != b"**":
        pieces[-1] = pieces[-1][:-1]
    elif pieces:
        pieces[-1] = rb"(?:[^/]+(?:/[^/]+)*)?"
        if len(pieces) > 1:
            pieces[-2:] = [pieces[-2].removesuffix(b"/"), rb"(?:/[^/]+)*"]
    return re.compile(b"".join(pieces) + rb"\Z")


def is_glob(text: bytes) -> bool:
    """Whether a question is a glob rather than a name."""
    return any(wild for wild, _ in _pieces(text))


def write_paths(writer: Writer, snapshot: Snapshot, runs: Iterable[Group]) -> int:
    """Write the tables from the runs of a source; returns how many paths there were."""
    from array import array as new_array

    directories: dict[bytes, int] = {}
    owners: dict[bytes, int] = {}
    table = new_array("I")
    counter = _Counter()
    writer.lines("about", [b"source\t" + snapshot.source.encode(), b"suite\t" + snapshot.suite.encode()])
    writer.section("names", _names(runs, directories, owners, table, counter))
    writer.numbers("runs", table)
    writer.section("count", [struct.pack("<Q", counter.total)])
    writer.lines("dirs", directories)
    writer.lines("owners", [b",".join(_packages(location)) for location in owners])
    return counter.total


class _Counter:
    """How many paths went by."""

    def __init__(self) -> None:
        self.total = 0


def _names(
    runs: Iterable[Group],
    directories: dict[bytes, int],
    owners: dict[bytes, int],
    table: array[int],
    counter: _Counter,
) -> Iterator[bytes]:
    position = 1
    batch = [b""]
    for directory, location, names in runs:
        block = b"\n".join(names)
        number = directories.setdefault(directory, len(directories))
        owner = owners.setdefault(location, len(owners))
        table.extend((position, number, owner))
        position += len(block) + 1
        counter.total += len(names)
        batch.append(block)
        if len(batch) >= _BATCH:
            yield b"\n".join(batch)
            batch = [b""]
    yield b"\n".join([*batch, b""])


def _packages(location: bytes) -> list[bytes]:
    return [name.rpartition(b"/")[2] for name in location.split(b",")]
