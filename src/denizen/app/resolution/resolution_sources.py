"""The sources of a resolution: the indexes, and the cache of packages' facts."""

from __future__ import annotations

from denizen.disk_view import DiskView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.resolve.cache.package_cache import FetchingPackageCache
    from denizen.resolve.engine.catalogue import Sources
    from denizen.sources.fetch_policy import FetchPolicy


def sources_for(session: Session, policy: FetchPolicy, index: Index) -> Sources:
    """Return the inputs of a single resolution, which is not cached."""
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.rule_packs import load_rules

    return Sources(
        index, package_cache(session, policy), load_rules(), CachedView(DiskView()), index.snapshots
    )


def package_cache(session: Session, policy: FetchPolicy) -> FetchingPackageCache:
    """Return the cache of packages' facts, which fetches packages that are not in it."""
    from denizen.app.supply.configured_sources import sources_by_name
    from denizen.app.supply.liblzma_setup import use_decoder
    from denizen.resolve.cache.package_cache import FetchingPackageCache
    from denizen.resolve.cache.package_facts import FactsCache

    use_decoder(session)
    place = session.paths
    facts = FactsCache(place.cache + b"/facts", session.read_packages)
    return FetchingPackageCache(sources_by_name(session, policy), place.packages, facts)
