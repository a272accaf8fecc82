"""Releases: fetch and check the Release of a suite: signature, origin, suite name, dates.

The signature is checked before the text is parsed. The checks are apt's: see apt.conf(5) for
Acquire::Check-Valid-Until and Acquire::Max-FutureTime.
"""

from __future__ import annotations

import os
import time

from denizen.disk import make_directories, write_atomically
from denizen.errors import SourceFailed
from denizen.formats.release import BadRelease, parse_release
from denizen.sha256 import hex_digest_of
from denizen.sources.errors import BadSignature, Downgrade, DownloadFailed, Expired, NoRoom, NoSuchSuite
from denizen.sources.fetcher import Small
from denizen.sources.transport import Validators
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.formats.release import Release
    from denizen.sources.base import SnapshotIdentity
    from denizen.sources.fetcher import Fetcher
    from denizen.sources.keyring import Keyring
    from denizen.sources.openpgp import Verifier

# Bytes; sid's Release has 190 KB.
MAX_RELEASE = 32 << 20
# Seconds that a Release may be ahead of this machine's clock (apt.conf(5), Acquire::Max-FutureTime).
MAX_FUTURE = 10
RELEASE = b".release"
_EARLIER = b".earlier"
_IDENTITY_DIGITS = 32


class Archive(Value):
    """The configuration of one archive.

    Attributes:
        name: the name of the source.
        suites: the default suites, the base first.
        components: the components to use.
        keyrings: the trusted keys.
        check_valid_until: an expired Release is refused, else only noted.
        origin: the Origin that a Release must state, "" for any.
        fallback: addresses to ask where none of the fetcher's mirrors is of this archive.
        provenance: the setting's (sources.source_settings).
    """

    name: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    keyrings: tuple[Keyring, ...]
    check_valid_until: bool = True
    origin: str = ""
    fallback: tuple[str, ...] = ()
    provenance: str = ""


class WrongOrigin(SourceFailed):
    """A Release has a good signature, but is of another archive than the source.

    Attributes:
        address: the mirror.
        origin, wanted: the Origin the Release states, and the one it must state.
    """

    address: str
    origin: str
    wanted: str
    WHAT = "{address:text} is not the archive of {wanted:text}; nothing of it is used"
    REMEDY = "as a source of its own: denizen source add NAME URI --suite SUITE --signed-by KEYRING"

    @property
    def why(self) -> str:
        return f"its Release says Origin: {self.origin}" if self.origin else "its Release gives no Origin"


class FutureRelease(SourceFailed):
    """A Release is dated in the future."""

    suite: str
    date: str
    now: str
    WHAT = "the Release of {suite:text} is dated in the future"
    WHY = "it is of {date:text}, and this machine's clock says {now:text}"
    REMEDY = "set this machine's clock, or use another mirror; the previous index stays in force"


class VerifiedRelease(Value):
    """A Release that passed all checks.

    Attributes:
        identity: a digest of the signed text.
        release: the parsed Release.
        notes: warnings for the user.
    """

    identity: str
    release: Release
    notes: tuple[str, ...]


class Releases:
    """Fetches and checks the Releases of an archive's suites."""

    def __init__(
        self,
        archive: Archive,
        fetcher: Fetcher,
        verifier: Verifier,
        lists: bytes,
        clock: Callable[[], float],
    ) -> None:
        self._archive = archive
        self._fetcher = fetcher
        self._verifier = verifier
        self._lists = lists
        self._clock = clock

    def of(self, mirror: str, suite: str, held: SnapshotIdentity | None, *, anew: bool) -> VerifiedRelease:
        """Return a mirror's Release of a suite; `anew` bypasses caches.

        Raises:
            NoSuchSuite: the mirror has none of that name, or one that names another suite.
            BadSignature, BadRelease, WrongOrigin, FutureRelease, Expired, Downgrade: a check failed.
            DownloadFailed, Offline: the mirror could not be asked.
        """
        return self._believed(mirror, suite, self._verified(mirror, suite, anew=anew), held)

    def earlier(self, mirror: str, suite: str, held: SnapshotIdentity | None) -> VerifiedRelease | None:
        """Return the Release the mirror gave before its newest; None if it is not kept or fails a check."""
        kept = self._read(self._place_of_earlier(mirror, suite))
        if kept.content is None:
            return None
        try:
            name = _address(mirror, suite, "InRelease")
            text = self._verifier.inline(name, kept.content, self._archive.keyrings)
            return self._believed(mirror, suite, text, held)
        except (SourceFailed, BadRelease):
            return None

    def _believed(
        self, mirror: str, suite: str, text: bytes, held: SnapshotIdentity | None
    ) -> VerifiedRelease:
        try:
            release = parse_release(text)
        except BadRelease as fault:
            raise BadRelease(fault.problem, _address(mirror, suite, "InRelease")) from fault
        if self._archive.origin not in ("", release.origin):
            raise WrongOrigin(mirror, release.origin, self._archive.origin)
        if suite not in (release.suite, release.codename):
            # A good signature on another suite's Release is a mirror's mistake, or an attack.
            told = f"{mirror} gave the Release of {release.codename} ({release.suite})"
            raise NoSuchSuite(self._archive.name, suite, told)
        identity = hex_digest_of(text.strip())[:_IDENTITY_DIGITS]
        return VerifiedRelease(identity, release, self._judge_dates(release, held))

    def has_kept(self, mirror: str, suite: str) -> bool:
        """Return whether the mirror gave a Release of the suite, now or in an earlier run."""
        return os.path.exists(self._place_of_release(mirror, suite))

    def _verified(self, mirror: str, suite: str, *, anew: bool) -> bytes:
        """Return the signed text of a suite's Release: InRelease, or Release with Release.gpg."""
        kept = Small(None, Validators()) if anew else self._kept(mirror, suite)
        try:
            inline = self._small(mirror, suite, "InRelease", kept.validators, anew=anew)
        except DownloadFailed as error:
            if len(error.refused) < len(error.tried):
                raise
            return self._verified_beside(mirror, suite, anew=anew)
        name, keyrings = _address(mirror, suite, "InRelease"), self._archive.keyrings
        if inline.content is None and kept.content is not None:
            try:
                return self._verifier.inline(name, kept.content, keyrings)
            except BadSignature:
                # The kept copy was damaged.
                inline = self._small(mirror, suite, "InRelease")
        assert inline.content is not None  # 304 is only answered to a request with validators
        verified = self._verifier.inline(name, inline.content, keyrings)
        # Kept only after verification: a text damaged in transit must not count as unchanged next time.
        self._keep(mirror, suite, inline)
        return verified

    def _verified_beside(self, mirror: str, suite: str, *, anew: bool) -> bytes:
        name, keyrings = _address(mirror, suite, "Release"), self._archive.keyrings
        try:
            text = self._small(mirror, suite, "Release", anew=anew).content
        except DownloadFailed as error:
            if not error.refused:
                raise
            raise NoSuchSuite(self._archive.name, suite, error.why) from error
        try:
            signature = self._small(mirror, suite, "Release.gpg", anew=anew).content
        except DownloadFailed as error:
            if not error.refused:
                raise
            names = tuple([keyring.name for keyring in keyrings])
            raise BadSignature(name, "it is not signed: there is no Release.gpg", names) from error
        assert text is not None
        assert signature is not None  # the requests were not conditional
        return self._verifier.detached(name, text, signature, keyrings)

    def _small(
        self, mirror: str, suite: str, file: str, held: Validators | None = None, *, anew: bool = False
    ) -> Small:
        path = f"dists/{suite}/{file}"
        validators = held or Validators()
        return self._fetcher.small(path, mirror, path, limit=MAX_RELEASE, validators=validators, anew=anew)

    def _kept(self, mirror: str, suite: str) -> Small:
        """Return the InRelease a mirror gave last, with the validators for a conditional request."""
        return self._read(self._place_of_release(mirror, suite))

    def _read(self, path: bytes) -> Small:
        try:
            with open(path, "rb") as stream:
                etag, modified, content = stream.read(MAX_RELEASE).split(b"\n", 2)
            return Small(content, Validators(etag.decode("latin-1"), modified.decode("latin-1")))
        except (OSError, ValueError):
            # Absent or damaged: then the request is not conditional.
            return Small(None, Validators())

    def _keep(self, mirror: str, suite: str, release: Small) -> None:
        assert release.content is not None
        if release.validators == Validators():
            return
        head = f"{release.validators.etag}\n{release.validators.modified}\n".encode("latin-1", "replace")
        try:
            make_directories(self._lists)
            place, before = self._place_of_release(mirror, suite), self._kept(mirror, suite).content
            if before not in (None, release.content):
                os.rename(place, self._place_of_earlier(mirror, suite))
            write_atomically(place, head + release.content)
        except OSError as error:
            raise NoRoom(self._lists, error.strerror or str(error)) from error

    def _place_of_release(self, mirror: str, suite: str) -> bytes:
        digest = hex_digest_of(f"{mirror}/{suite}".encode())[:_IDENTITY_DIGITS]
        return os.path.join(self._lists, digest.encode() + RELEASE)

    def _place_of_earlier(self, mirror: str, suite: str) -> bytes:
        return self._place_of_release(mirror, suite).removesuffix(RELEASE) + _EARLIER + RELEASE

    def _judge_dates(self, release: Release, held: SnapshotIdentity | None) -> tuple[str, ...]:
        now = self._clock()
        if release.date > now + MAX_FUTURE:
            raise FutureRelease(release.codename, _to_the_second(release.date), _to_the_second(int(now)))
        if held is not None and release.date < held.date:
            raise Downgrade(release.codename, shown_date(release.date), shown_date(held.date))
        if release.valid_until is None or now <= release.valid_until:
            return ()
        if self._archive.check_valid_until:
            raise Expired(release.codename, shown_date(release.valid_until))
        until = shown_date(release.valid_until)
        return (f"{release.codename}: past its Valid-Until ({until}), allowed by configuration",)


def _address(mirror: str, suite: str, file: str) -> str:
    return f"{mirror}/dists/{suite}/{file}"


def shown_date(seconds: int) -> str:
    """Return a time, in seconds since 1970, as text in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
