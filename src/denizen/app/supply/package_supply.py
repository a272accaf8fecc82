"""The supply of packages for an installation: configured sources, the cache directory, the opener of URLs."""

from __future__ import annotations

from denizen.host import processors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.resolve.installation.install import Supply
    from denizen.sources.fetch_policy import FetchPolicy


def supply_of(session: Session, policy: FetchPolicy) -> Supply:
    """Return the sources of packages with the cache directory and the opener.

    Raises BadSetting, NoKeyring, NoVerifier.
    """
    from denizen.app.supply.configured_sources import sources_by_name
    from denizen.build.realise import SilentBuild
    from denizen.resolve.installation.install import Supply
    from denizen.sources.proxies import proxies_from
    from denizen.sources.transport import HttpSettings
    from denizen.sources.url_opener import UrlOpener

    jobs = processors()
    sources = sources_by_name(session, policy)
    opener = UrlOpener(HttpSettings(proxies=proxies_from(session.environ)), jobs)
    return Supply(sources, session.paths.packages, opener, SilentBuild(), session.read_packages, jobs)
