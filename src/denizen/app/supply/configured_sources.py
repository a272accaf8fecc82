"""The configured sources of packages, ready to be asked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.sources.base import Progress, Source
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.sources.source_settings import Setting


def configured_settings(session: Session) -> list[Setting]:
    """Return the settings of every configured source. Raises BadSetting, NoKeyring."""
    from denizen.disk_view import DiskView
    from denizen.sources.source_settings import settings

    return settings(DiskView(), session.paths.sources)


def sources_by_name(session: Session, policy: FetchPolicy) -> dict[str, Source]:
    """Return every source by its name, with progress shown. Raises as `configured_sources`."""
    sources = configured_sources(session, policy, session.reporter.transfers())
    return {one.name: one for one in sources}


def configured_sources(session: Session, policy: FetchPolicy, progress: Progress) -> list[Source]:
    """Return every source, ready to be asked. Raises BadSetting, NoKeyring."""
    from denizen.sources.proxies import proxies_from
    from denizen.sources.source_factory import SourceContext, open_source
    from denizen.sources.transport import HttpSettings

    context = SourceContext(
        lists=session.paths.lists,
        http=HttpSettings(proxies_from(session.environ)),
        policy=policy,
        progress=progress,
        search_path=session.environ.get("PATH"),
    )
    return [open_source(setting, context) for setting in configured_settings(session)]
