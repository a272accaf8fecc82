"""Construction of a source from its configuration."""

from __future__ import annotations

import os

from denizen.sources.debian_archive import DebianArchive
from denizen.sources.fetcher import Fetcher
from denizen.sources.openpgp import ChosenWhenAsked
from denizen.sources.releases import Archive
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.sources.base import Progress, Source
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.sources.source_settings import Setting
    from denizen.sources.transport import HttpSettings


class SourceContext(Value):
    """The directories, settings and callbacks that every source needs.

    Attributes:
        lists: the directory where fetched indexes are kept.
        http: HTTP settings.
        policy: limits of fetching.
        progress: is told of transfers.
        search_path: a PATH to search for programs such as gpgv; None for the process's own.
    """

    lists: bytes
    http: HttpSettings
    policy: FetchPolicy
    progress: Progress
    search_path: str | None = None


def open_source(setting: Setting, context: SourceContext) -> Source:
    """Return the source that a setting describes."""
    if setting.kind == "directory":
        from denizen.sources.deb_directory import DirectoryOfDebs
        from denizen.sources.transport import file_path

        uri = setting.uris[0]
        return DirectoryOfDebs(
            setting.name, file_path(uri) if uri.startswith("file:") else os.fsencode(uri), setting.provenance
        )
    archive = Archive(
        name=setting.name,
        suites=setting.suites,
        components=setting.components,
        keyrings=setting.keyrings,
        check_valid_until=setting.check_valid_until,
        origin=setting.release_origin,
        fallback=setting.fallback,
        provenance=setting.provenance,
    )
    fetcher = Fetcher(setting.uris, context.http, context.policy, context.progress)
    return DebianArchive(archive, fetcher, ChosenWhenAsked(context.search_path), context.lists)
