"""Sources over a test archive, with no waiting between attempts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denizen.sources.base import Progress
from denizen.sources.debian import Archive as Settings
from denizen.sources.debian import DebianArchive
from denizen.sources.fetch import Fetcher, FetchPolicy
from denizen.sources.openpgp import Keyring, SequoiaVerifier
from denizen.sources.transport import HttpSettings
from tests.support.archive import DATE, keyring

A_DAY = 86_400


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
    **policy: Any,
) -> DebianArchive:
    # Keys are made once a process: another one is handed those of the first.
    keyrings = tuple(Keyring(name, keys or keyring(name)) for name in signers)
    settings = Settings("debian", tuple(suites), ("main",), keyrings, check_valid_until)
    http = HttpSettings(read_timeout=2)
    fetcher = Fetcher(mirrors, http, FetchPolicy(**policy), progress, pause=lambda _: None)
    return DebianArchive(settings, fetcher, SequoiaVerifier(), bytes(directory), clock=lambda: now)
