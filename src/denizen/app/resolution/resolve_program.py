"""Resolution for the commands: a program's roots, the indexes by stages, and the sources."""

from __future__ import annotations

import os

from denizen.errors import SourceFailed
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.session import Session
    from denizen.errors import DenizenError
    from denizen.index.locate import Index
    from denizen.linker import Environment
    from denizen.resolve.resolution import Resolution
    from denizen.sources.fetch_policy import FetchPolicy

# Suites that change every day are asked last.
_UNRELEASED = ("unstable", "sid", "testing", "experimental")


def resolve_path(
    session: Session,
    path: bytes,
    policy: FetchPolicy,
    suites: tuple[str, ...] = (),
    extra: Sequence[bytes] = (),
    *,
    given: Sequence[bytes] = (),
    host: Environment | None = None,
) -> Resolution:
    """Return the resolution of a program or a directory; indexes that are missing are made.

    The base suite alone is asked first; further suites are fetched if something essential is still
    unresolved. Before it comes this host's own release for a file of one of its packages, where packages
    alone are to be used. A suite that cannot be fetched is left out.

    Args:
        session: the paths and the reporter.
        path: the program's or the directory's path.
        policy: whether packages and lists may be fetched.
        suites: the suites to ask; () for the sources' own.
        extra: sonames, package names and, with a slash in them, paths of objects or directories of objects.
        given: directories of the user's LD_LIBRARY_PATH.
        host: this host as the linker sees it, if packages are to extend its libraries; else None.

    Raises:
        OSError, BadInput: a file cannot be read, or is malformed.
        SourceFailed, HostLacks: a package cannot be fetched, or this host lacks the means.
    """
    from denizen.app.process_limits import many_files
    from denizen.app.resolution.cached_resolution import CachedResolutions
    from denizen.disk_view import DiskView
    from denizen.resolve.directory_objects import added_objects, objects_to_resolve
    from denizen.resolve.resolution import Resolution

    view = DiskView()
    found = objects_to_resolve(view, path)
    roots = found.paths
    added = added_objects(view, [name for name in extra if b"/" in name], roots[0])
    names = [name for name in extra if b"/" not in name]
    for platform, count in found.left_out.items():
        session.reporter.say(f"denizen: {count} objects for {platform} are left out")
    architecture = _architecture(roots[0])
    if not architecture:
        return Resolution("")
    made, answers = (
        Resolution(""),
        CachedResolutions(session, policy, roots, added, names, given=given, host=host),
    )
    first = "" if suites or host is not None else _own_release(session, path)
    with many_files():
        for index, stage in _indexes(session, _stages(session, suites, first), architecture, policy):
            made = answers.by(index, stage.suites)
            if made.is_complete and (not stage.wishes_count or not _wishes_more(made)):
                break
    return made


def _own_release(session: Session, path: bytes) -> str:
    """Return this host's release if a file is of a package of it, and of a source's distribution; else ""."""
    from denizen.app.resolution.host_release import own_release
    from denizen.app.supply.configured_sources import configured_settings
    from denizen.disk_view import DiskView

    origins = [one.release_origin for one in configured_settings(session) if one.release_origin]
    found = [own_release(DiskView(), os.path.realpath(path), origin) for origin in origins]
    return next(filter(None, found), "")


def _wishes_more(made: Resolution) -> bool:
    from denizen.resolve.dlopen_priorities import RECOMMENDED

    return bool(made.left_out) or any(wish.priority == RECOMMENDED for wish in made.wishes)


def _architecture(path: bytes) -> str:
    """Return Debian's name for the program's architecture; "" where it is static.

    Raises OSError, BadInput.
    """
    from denizen import elf
    from denizen.disk_view import DiskView
    from denizen.machines import debian_name
    from denizen.resolve.subject import is_linked

    image = elf.read(DiskView().read(path))
    return debian_name(image.header.architecture) if image.dynamic and is_linked(image) else ""


class _Stage(Value):
    """The suites that are asked together.

    Attributes:
        wishes_count: ask further suites even if only recommended libraries are missing.
    """

    suites: tuple[str, ...]
    wishes_count: bool = False


def _stages(session: Session, suites: tuple[str, ...], first: str = "") -> list[_Stage]:
    """Return the stages in order: the named suites.

    Else the first if there is one, the base, then all released suites, then all suites.
    """
    if suites:
        return [_Stage(suites)]
    from denizen.app.supply.provenance_cache import known_suites

    every = known_suites(session)
    released = tuple([suite for suite in every if suite not in _UNRELEASED])
    own = [_Stage((first,))] if first else []
    return [*own, _Stage(every[:1], wishes_count=True), _Stage(released), _Stage(every)]


def indexed_suites(session: Session, path: bytes, suites: tuple[str, ...]) -> tuple[str, ...]:
    """Return the suites that have an index already, of the named ones or of all, in order."""
    wanted = _stages(session, suites)[-1].suites
    there = indexes_of(session, path, wanted).entries
    return tuple(suite for suite in wanted if any(entry.is_called(suite) for entry in there))


def indexes_of(session: Session, path: bytes, suites: tuple[str, ...]) -> Index:
    """Return the existing indexes of `suites` for the architecture of the program at `path`."""
    from denizen.app.supply.open_index import open_index

    return open_index(session, _architecture(path), suites)


def files_of(index: Index) -> list[bytes]:
    """Return the paths of the files that make up some indexes."""
    return [index.place_of(entry) for entry in index.entries]


def _indexes(
    session: Session, stages: Sequence[_Stage], architecture: str, policy: FetchPolicy
) -> Iterator[tuple[Index, _Stage]]:
    """Yield the index of each stage that has more suites indexed than the stage before.

    Raises:
        SourceFailed, HostLacks: there is no index at all.
    """
    from denizen.app.supply.open_index import open_index

    failures: dict[str, DenizenError] = {}
    before: list[tuple[str, str]] | None = None
    for stage in stages:
        wanted = [suite for suite in stage.suites if suite not in failures]
        failures |= _ensured(wanted, session, architecture, policy)
        index = open_index(session, architecture, stage.suites)
        known = [(entry.libraries, entry.identity) for entry in index.entries]
        if known != before and (known or not failures):
            yield index, stage
            before = known
    if not before and failures:
        raise next(iter(failures.values()))


def _ensured(
    suites: Sequence[str], session: Session, architecture: str, policy: FetchPolicy
) -> dict[str, DenizenError]:
    from denizen.app.supply.ensure_index import ensure
    from denizen.sources.base import Scope

    if not suites:
        return {}
    try:
        return ensure(session, suites, architecture, Scope.LIBRARIES, policy)
    except SourceFailed as failure:
        return dict.fromkeys(suites, failure)
