"""Debian sources over a test archive, with no waiting between attempts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denizen.index.retry_policy import RetryPolicy
from denizen.index.update import update as real_update
from denizen.index.update_targets import UpdateOutcome, UpdateTarget
from denizen.sources.base import Progress
from denizen.sources.debian_archive import DebianArchive
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.fetcher import Fetcher
from denizen.sources.keyring import Keyring
from denizen.sources.openpgp import SequoiaVerifier
from denizen.sources.releases import Archive as Settings
from denizen.sources.transport import HttpSettings
from tests.support.debian_archive import DATE, keyring
from tests.support.processes import PATIENCE

A_DAY = 86_400


def update(
    directory: bytes, targets: Sequence[UpdateTarget], progress: Progress, **options: Any
) -> list[UpdateOutcome]:
    """Bring indexes up to date without waiting where an archive is inconsistent."""
    return real_update(
        directory, targets, progress, **{"patience": RetryPolicy(pause=lambda _: None), **options}
    )


def debian(
    mirrors: Sequence[str],
    directory: Path,
    *,
    now: float = DATE + A_DAY,
    signers: Sequence[str] = ("archive",),
    suites: Sequence[str] = ("stable",),
    check_valid_until: bool = True,
    progress: Progress | None = None,
    keys: bytes | None = None,
    origin: str = "",
    fallback: Sequence[str] = (),
    **policy: Any,
) -> DebianArchive:
    # Keys are made once a process: another one is handed those of the first.
    keyrings = tuple(Keyring(name, keys or keyring(name)) for name in signers)
    settings = Settings(
        "debian", tuple(suites), ("main",), keyrings, check_valid_until, origin, tuple(fallback)
    )
    http = HttpSettings(read_timeout=PATIENCE)
    fetcher = Fetcher(mirrors, http, FetchPolicy(**policy), progress, pause=lambda _: None)
    return DebianArchive(settings, fetcher, SequoiaVerifier(), bytes(directory), clock=lambda: now)
