"""Construction of index files from a snapshot's lists; a file appears complete or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os

from denizen.disk import sync_directory, written_by_owner
from denizen.formats.debversion import version_key
from denizen.index.index_file import Writer
from denizen.index.installed_links import FoundLibrary, ldconfig_links, with_alternatives
from denizen.index.library_index import write_libraries
from denizen.index.library_paths import DirectoryKind, is_library_name, kind_of
from denizen.index.path_index import write_paths
from denizen.sources.base import Scope
from denizen.sources.errors import NoRoom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.formats.packages import Package
    from denizen.sources.base import Snapshot, Source


def build_files(
    source: Source, snapshot: Snapshot, architecture: str, scope: Scope, directory: bytes
) -> tuple[str, str]:
    """Build the indexes in `directory`.

    Return the file names of the library and path indexes ("" for none).
    """
    stem = f"{snapshot.source}-{snapshot.suite}-{architecture}-{snapshot.identity[:12]}"
    libraries, paths = f"{stem}.libraries", f"{stem}.paths" if scope is Scope.PATHS else ""
    _build(
        os.path.join(directory, libraries.encode()),
        lambda w: _write_libraries(w, source, snapshot, architecture),
    )
    if paths:
        _build(
            os.path.join(directory, paths.encode()),
            lambda w: write_paths(w, snapshot, source.paths(snapshot, architecture)),
        )
    return libraries, paths


def _build(path: bytes, fill: Callable[[Writer], object]) -> None:
    """Write an index file complete or not at all."""
    temporary = path + b".new"
    try:
        with open(temporary, "wb", opener=written_by_owner) as stream:
            writer = Writer(stream)
            fill(writer)
            writer.finish()
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except OSError as error:
        raise NoRoom(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    sync_directory(os.path.dirname(path))


def _write_libraries(writer: Writer, source: Source, snapshot: Snapshot, architecture: str) -> None:
    packages = sort_packages(source.packages(snapshot, architecture))
    provides = {package.name: package.provides for package in packages if package.provides}
    shipped = list(listed_libraries(source.libraries(snapshot, architecture), architecture))
    found = list(with_alternatives(shipped, lambda name: provides.get(name, b""), architecture))
    write_libraries(writer, snapshot, architecture, packages, [*found, *ldconfig_links(found)])


def sort_packages(packages: Iterator[Package]) -> list[Package]:
    """Return the packages sorted by name, then version, each once: the last of a name is the newest."""
    ordered = sorted(packages, key=lambda package: package.name)
    repeated = {a.name for a, b in itertools.pairwise(ordered) if a.name == b.name}
    if not repeated:
        return ordered
    unique = {(package.name, package.version, package.architecture): package for package in ordered}
    return sorted(
        unique.values(),
        key=lambda package: (package.name, version_key(package.version) if package.name in repeated else ()),
    )


def listed_libraries(listed: Iterator[tuple[bytes, bytes]], architecture: str) -> Iterator[FoundLibrary]:
    """Yield the files in a Contents list that can be asked for as a soname, an entry for each owner."""
    kinds: dict[bytes, DirectoryKind] = {}
    for path, location in listed:
        directory, _, name = path.rpartition(b"/")
        if not is_library_name(name):
            continue
        kind = kinds.get(directory)
        if kind is None:
            kind = kinds[directory] = kind_of(directory, architecture)
        for owner in location.split(b","):
            yield FoundLibrary(name, kind, owner.rpartition(b"/")[2], path)
