"""One state of the real archive, fetched once and kept in the tests' cache, for every test that needs it.

Tests must pass while the archive is being updated: kept files are not requested again, missing ones are
requested with patience, and only a package that the archive has removed causes an update of the indexes.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.configured_sources import configured_sources
from denizen.app.supply.ensure_index import ensure, run_update, targets_of
from denizen.cli.command import Context
from denizen.cli.views.download_progress import open_progress
from denizen.errors import DenizenError, SourceFailed
from denizen.formats.archive_tree import Layout
from denizen.formats.deb import Deb
from denizen.formats.file_tree import File
from denizen.resolve.resolution import Pin, Resolution
from denizen.sources.base import Scope
from denizen.sources.errors import DownloadFailed, HashMismatch
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.source_settings import DEFAULT_SUITES
from tests.support.command_context import context_of
from tests.support.kept_files import kept_by_tests

# Tests ask by codename: what they expect stays true of a suite, whatever is stable when they run.
SUITES = ("trixie", "bookworm", "bullseye")
RELEASED = DEFAULT_SUITES[:3]
ROUNDS = 3
T = TypeVar("T")


def real_archive() -> Context:
    """Return a command's context over the kept files."""
    return context_of(os.environ, os.fspath(kept_by_tests()), verbosity=-1)


@contextlib.contextmanager
def one_at_a_time(context: Context) -> Iterator[None]:
    """Let one worker at a time pass, so that each index and package is fetched once."""
    assert context.session.root is not None
    os.makedirs(context.session.root, exist_ok=True)
    with open(os.path.join(context.session.root, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_indexes(context: Context, architectures: Sequence[str] = ("amd64",)) -> None:
    """Fetch the missing indexes of the released suites, by all their names. Raises SourceFailed."""
    for architecture in architectures:
        for _ in range(ROUNDS):
            if not (failures := _missing(context, architecture)):
                break
        for problem in failures:
            raise problem


def _missing(context: Context, architecture: str) -> list[DenizenError]:
    failures: list[DenizenError] = []
    # One after the other: a suite that is had by its one name need not be asked for by the other, whose
    # directory may show another state in such an hour.
    for names in (RELEASED, SUITES):
        try:
            failures += ensure(context.session, names, architecture, Scope.LIBRARIES, FetchPolicy()).values()
        except SourceFailed as failure:
            failures.append(failure)
    return failures


def with_packages(context: Context, architecture: str, action: Callable[[], T]) -> T:
    """Call `action`, which fetches packages, and return its result.

    Where the kept indexes list a package that the archive has removed, update them and call it once more.
    """
    keep_indexes(context, [architecture])
    try:
        return action()
    except (HashMismatch, DownloadFailed):
        progress = open_progress(context.output)
        sources = configured_sources(context.session, FetchPolicy(), progress)
        names = (*RELEASED, *SUITES)
        run_update(context.session, targets_of(sources, names, (architecture,), Scope.LIBRARIES), progress)
        return action()


def resolve_program(
    context: Context, path: Path, suites: Sequence[str] = SUITES, architecture: str = "amd64"
) -> Resolution:
    """Return what a program gets of these suites, whose packages are kept."""

    def resolve() -> Resolution:
        return resolve_path(context.session, os.fsencode(path), FetchPolicy(), tuple(suites))

    with one_at_a_time(context):
        return with_packages(context, architecture, resolve)


def files_of(context: Context, pin: Pin) -> dict[bytes, bytes]:
    """Return the regular files of a kept package."""
    assert context.session.root is not None
    name = os.fsdecode(pin.sha256[:16] + b"-" + os.path.basename(pin.filename))
    with open(Path(context.session.root, "cache", "packages", name), "rb") as stream:
        return {
            entry.path: b"".join(bytes(piece) for piece in entry.content)
            for entry in Deb(stream).entries(Layout.USR_MERGED)
            if isinstance(entry, File)
        }


def lend(context: Context, root: Path) -> None:
    """Link the kept indexes and packages into another denizen root, unless it has some."""
    target = root / "cache"
    if target.exists():
        return
    source = Path(os.fsdecode(context.session.paths.cache))
    unfinished = root / "cache.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("index", "packages"):
        if (source / name).exists():
            # What is written anew is renamed into its place: the kept file stays as it is.
            shutil.copytree(
                source / name,
                unfinished / name,
                copy_function=os.link,
                ignore=shutil.ignore_patterns("partial", "lock"),
            )
    unfinished.rename(target)
