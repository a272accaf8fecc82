"""The index's own file against SQLite with the same rows; docs/decisions/0005-index-file.md decides by it.

Rows are every soname with its package, and every path with its owners. Only writing the file is timed as
building: the rows are parsed for both.
"""

import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.indexes import ARCHITECTURE, configure, cost, mirror, update
from benchmarks.stores import seconds
from benchmarks.support import median_seconds, median_starts, table
from denizen.index.index_file import IndexFile, Writer
from denizen.index.locate import Index
from denizen.index.path_index import PathIndex, write_paths
from denizen.sources.base import Snapshot

LOOKUPS = 10_000
SONAME = b"libssl.so.3"
OURS_FIRST = f"""
from denizen.index.locate import Index
Index({{place!r}}, {ARCHITECTURE!r}).providers({SONAME!r})
"""
LOOKUP = "select * from sonames join packages using (number) where soname = ?"
THEIRS_FIRST = f"""
import sqlite3
sqlite3.connect({{place!r}}).execute({LOOKUP!r}, ({SONAME!r},)).fetchall()
"""
Row = tuple[str, float, float]
Group = tuple[bytes, bytes, list[bytes]]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="denizen-storage-") as name, mirror() as address:
        top = Path(name)
        configure(top, address)
        cost(update(top, "--paths"))
        directory = top / "cache/index"
        rows = [*_libraries(directory, top / "libraries.db"), *_paths(directory, top / "paths.db")]
    print(table([("", "denizen", "SQLite"), *((name, f"{a:,.1f}", f"{b:,.1f}") for name, a, b in rows)]))


def _libraries(directory: Path, database: Path) -> Iterator[Row]:
    (file,) = directory.glob("*.libraries")
    index = IndexFile(os.fsencode(file))
    packages = list(index.lines("packages"))
    sonames = [tuple(line.split(b"\t")) for line in index.lines("sonames")]
    index.close()
    _fill_libraries(database, packages, sonames)
    yield "libraries, MB", _megabytes(file), _megabytes(database)
    names = random.Random(1).choices([soname for soname, *_ in sonames], k=LOOKUPS)
    ours, theirs = Index(os.fsencode(directory), ARCHITECTURE), sqlite3.connect(database)
    asking: list[Callable[[], object]] = [
        lambda: [ours.providers(name) for name in names],
        lambda: [theirs.execute(LOOKUP, (name,)).fetchall() for name in names],
    ]
    first, second = (median_seconds(ask, repeats=3) / LOOKUPS * 1e6 for ask in asking)
    yield f"a soname, mean of {LOOKUPS:,}, us", first, second
    ours.close()
    theirs.close()
    scripts = OURS_FIRST.format(place=os.fsencode(directory)), THEIRS_FIRST.format(place=os.fspath(database))
    a, b = median_starts([(sys.executable, "-c", script) for script in scripts])
    yield "a process that asks for one soname, ms", a * 1000, b * 1000


def _fill_libraries(database: Path, packages: list[bytes], sonames: list[tuple[bytes, ...]]) -> None:
    connection = sqlite3.connect(database)
    connection.execute("create table packages (number integer primary key, line blob)")
    connection.execute("create table sonames (soname blob, kind int, number int, path blob, link blob)")
    connection.executemany("insert into packages values (?, ?)", enumerate(packages))
    # Numbers as numbers: a join finds nothing by a blob.
    rows = [(soname, int(kind), int(number), path, link) for soname, kind, number, path, link in sonames]
    connection.executemany("insert into sonames values (?, ?, ?, ?, ?)", rows)
    connection.execute("create index by_soname on sonames (soname)")
    connection.commit()
    connection.close()


def _paths(directory: Path, database: Path) -> Iterator[Row]:
    (file,) = directory.glob("*.paths")
    groups = _groups(file)
    copy = directory / "copy"
    ours = seconds(lambda: _write(copy, groups))
    theirs = seconds(lambda: _fill_paths(database, groups))
    yield f"{sum(len(names) for *_, names in groups):,} paths, s to write", ours, theirs
    yield "MB", _megabytes(copy), _megabytes(database)
    paths, connection = PathIndex(os.fsencode(copy)), sqlite3.connect(database)
    exact = "select owner from paths join dirs on dirs.number = dir where dirs.name = ? and paths.name = ?"
    glob = "select dirs.name, owner from paths join dirs on dirs.number = dir where paths.name glob ?"
    asked: list[tuple[str, Callable[[], object], str, tuple[str, ...]]] = [
        ("one path, ms", lambda: paths.exact(b"/usr/include/zlib.h"), exact, ("usr/include", "zlib.h")),
        ("one file name, ms", lambda: list(paths.matching(b"zlib.h")), glob, ("zlib.h",)),
        ("a glob, ms", lambda: list(paths.matching(b"*zlib*.pc")), glob, ("*zlib*.pc",)),
    ]
    for name, ask, query, words in asked:
        first, second = median_seconds(ask), median_seconds(partial(_answers, connection, query, words))
        yield name, first * 1000, second * 1000
    paths.close()
    connection.close()


def _answers(connection: sqlite3.Connection, query: str, words: tuple[str, ...]) -> list[object]:
    return connection.execute(query, words).fetchall()


def _groups(file: Path) -> list[Group]:
    """The runs an index was made from, one for each directory and owner."""
    paths = PathIndex(os.fsencode(file))
    found: dict[tuple[bytes, bytes], list[bytes]] = {}
    for path, owner in paths.matching(b"*"):
        parent, _, name = path[1:].rpartition(b"/")
        found.setdefault((parent, owner), []).append(name)
    paths.close()
    return [(parent, owner, names) for (parent, owner), names in found.items()]


def _write(place: Path, groups: list[Group]) -> None:
    with open(place, "wb") as stream:
        writer = Writer(stream)
        write_paths(writer, Snapshot("debian", "stable", "trixie", "0" * 32, 1), groups)
        writer.finish()


def _fill_paths(database: Path, groups: list[Group]) -> None:
    connection = sqlite3.connect(database)
    connection.execute("pragma journal_mode = off")
    connection.execute("pragma synchronous = off")
    connection.execute("create table dirs (number integer primary key, name text unique)")
    connection.execute("create table paths (dir int, name text, owner text)")
    numbers = {parent: number for number, parent in enumerate(dict.fromkeys(parent for parent, *_ in groups))}
    connection.executemany("insert into dirs values (?, ?)", ((n, _text(p)) for p, n in numbers.items()))
    connection.executemany(
        "insert into paths values (?, ?, ?)",
        ((numbers[parent], _text(name), _text(owner)) for parent, owner, names in groups for name in names),
    )
    connection.execute("create index by_name on paths (name)")
    connection.commit()
    connection.close()


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6
