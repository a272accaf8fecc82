"""Resolutions of one program, taken from the resolution cache where nothing they depend on has changed."""

from __future__ import annotations

import os

import denizen
from denizen.app.resolution.resolution_sources import package_cache
from denizen.disk_view import DiskView
from denizen.resolve.cache.resolution_cache import Question, code_stamps, keep, lookup, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.linker import Environment
    from denizen.resolve.cache.package_cache import FetchingPackageCache
    from denizen.resolve.cache.trace import TracedView
    from denizen.resolve.resolution import Resolution
    from denizen.sources.fetch_policy import FetchPolicy

# The folders of denizen whose code decides a resolution, in a cache key; b"" is the top folder.
_CODE = (
    b"", b"elf", b"index", b"linker",
    b"resolve", b"resolve/cache", b"resolve/engine", b"resolve/installation",
)  # fmt: skip


class CachedResolutions:
    """The resolutions of one program by several indexes.

    The program is examined only if the cache has no answer.
    """

    def __init__(
        self,
        session: Session,
        policy: FetchPolicy,
        roots: Sequence[bytes],
        added: Sequence[bytes],
        names: Sequence[bytes],
        *,
        given: Sequence[bytes] = (),
        host: Environment | None = None,
    ) -> None:
        """Prepare to resolve the objects at `roots`.

        Args:
            session: the paths and the reporter.
            policy: whether packages may be fetched.
            roots: paths of the ELF objects to resolve.
            added: paths of further objects whose needs count too.
            names: sonames and package names to resolve in addition.
            given: directories of the user's LD_LIBRARY_PATH.
            host: this host as the linker sees it, if the packages are to go with its own libraries; else
                None.
        """
        self._session = session
        self._policy = policy
        self._asked = tuple(roots), tuple(added), tuple(sorted(set(names)))
        self._given = tuple(given)
        self._host = host
        self._resolver: _Resolver | None = None

    def by(self, index: Index, suites: tuple[str, ...]) -> Resolution:
        """Return the resolution by `index`, the index of `suites`.

        Raises OSError, BadInput, SourceFailed, HostLacks.
        """
        directory = self._session.paths.cache + b"/resolutions"
        circumstances = _circumstances(index, self._asked[0], self._host)
        question = Question(*self._asked, suites, circumstances, self._given)
        known = lookup(directory, question, DiskView()) if circumstances else None
        if known is not None:
            return known
        if self._resolver is None:
            packages = package_cache(self._session, self._policy)
            self._resolver = _Resolver(*self._asked, self._given, packages, host=self._host)
        made = self._resolver.by(index)
        if circumstances:
            keep(directory, question, made, self._resolver.traced)
        return made


class _Resolver:
    """The resolver of one program; records every question it asks of the file tree, for the cache's key."""

    def __init__(
        self,
        roots: Sequence[bytes],
        added: Sequence[bytes],
        names: Sequence[bytes],
        given: Sequence[bytes],
        packages: FetchingPackageCache,
        *,
        host: Environment | None,
    ) -> None:
        from denizen.resolve.cache.cached_view import CachedView
        from denizen.resolve.cache.trace import TracedView
        from denizen.resolve.rule_packs import load_rules
        from denizen.resolve.subject import examine

        self.traced: TracedView = TracedView(DiskView())
        self._names = names
        self._rules = load_rules()
        self._subject = examine(self.traced, roots, self._rules, added, given, host=host)
        self._disk = CachedView(DiskView())
        self._packages = packages

    def by(self, index: Index) -> Resolution:
        from denizen.resolve.engine.catalogue import Sources
        from denizen.resolve.engine.search import resolve

        sources = Sources(index, self._packages, self._rules, self._disk, index.snapshots)
        return resolve(self._subject, sources, self._names)


def _circumstances(index: Index, roots: Sequence[bytes], host: Environment | None) -> tuple[str, ...]:
    """Return the further inputs of a resolution: denizen's code, the index files, and the working directory.

    Return () where they cannot be determined, as when denizen is imported from an archive: nothing is cached
    then.
    """
    here = os.path.dirname(os.fsencode(denizen.__file__))
    start = "" if all(root.startswith(b"/") for root in roots) else os.getcwd()
    try:
        code = code_stamps([os.path.join(here, part) for part in _CODE])
        files = [(one.source, one.suite, one.identity, stamp(index.place_of(one))) for one in index.entries]
    except OSError:
        return ()
    of_host = f"host {host.cpu} {host.library_path!r}" if host is not None else ""
    return code, start, of_host, *[" ".join(parts) for parts in files]
