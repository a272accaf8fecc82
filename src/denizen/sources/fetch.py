"""Getting a file from mirrors that may lie, stall, stop or be gone.

What each answer means is a table (`VERDICTS`); what follows is a loop. A file is written beside its place
and only renamed there once its hash is right. A transfer that was cut is resumed, in the same run and in
the next: what was fetched so far is kept under the hash it must have in the end, so that resuming needs
no validator to be safe, only to save a wasted transfer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from enum import Enum

from denizen.disk import make_directories, sync_directory
from denizen.sources.base import BadHash, DownloadFailed, NoRoom, Offline, Silent
from denizen.sources.partial import held
from denizen.sources.transport import FileTransport, HttpTransport, TransportError, Validators
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from denizen.sources.base import Progress
    from denizen.sources.transport import Answer, HttpSettings, Transport


class Verdict(Enum):
    """What to do after one request."""

    TAKE = "take"
    UNCHANGED = "unchanged"
    AGAIN = "again"
    RESTART = "restart"
    NEXT = "next"


# Everything not listed: below 500 the next address, from 500 on the same again.
VERDICTS: Mapping[int, Verdict] = {
    200: Verdict.TAKE,
    206: Verdict.TAKE,
    304: Verdict.UNCHANGED,
    408: Verdict.AGAIN,
    416: Verdict.RESTART,  # what we hold is longer than the file: it is not that file
    425: Verdict.AGAIN,
    429: Verdict.AGAIN,
}


@value
class FetchPolicy:
    """How patient to be, and how greedy.

    Attributes:
        attempts: requests per address before the next mirror is asked.
        backoff, max_backoff: seconds before the second attempt, doubled each time up to the maximum,
            which also bounds what a server may ask for with Retry-After.
        workers: transfers at a time.
        max_rate: bytes a second for all transfers together, 0 for no limit.
        min_rate, patience: a mirror slower than this for so many seconds is given up.
        offline: fetch nothing.
    """

    attempts: int = 4
    backoff: float = 0.5
    max_backoff: float = 20.0
    workers: int = 4
    max_rate: int = 0
    min_rate: int = 1024
    patience: float = 20.0
    offline: bool = False


@value
class Wanted:
    """A file to fetch.

    Attributes:
        name: what people are told.
        paths: where it may be below a mirror's address, the preferred one first (by-hash, then plain).
        destination: where it goes.
        size, sha256: what it must be.
    """

    name: str
    paths: tuple[str, ...]
    destination: bytes
    size: int
    sha256: str


@value
class Small:
    """A small file read into memory, not yet verified: content None if it has not changed."""

    content: bytes | None
    validators: Validators


class Effort:
    """What was tried for one file so far.

    Attributes:
        tried: each URL with what happened there last.
        url, attempt: what is being tried, and for which time.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.tried: dict[str, str] = {}
        self.url = ""
        self.attempt = 0

    def attempts_at(self, url: str, count: int) -> Iterator[int]:
        """Count the attempts at a URL."""
        self.url = url
        for self.attempt in range(count):
            yield self.attempt


class TooSlow(TransportError):
    """A mirror keeps below the least acceptable rate."""


class Cancelled(Exception):
    """Another transfer failed or the user interrupted; what has come so far is kept."""


class Fetcher:
    """Fetches from a list of mirrors, several files at a time over kept connections."""

    def __init__(
        self,
        mirrors: Sequence[str],
        http: HttpSettings,
        policy: FetchPolicy,
        progress: Progress | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.mirrors = tuple([mirror.rstrip("/") for mirror in mirrors])
        self.policy = policy
        self._progress: Progress = progress or Silent()
        self._cancelled = threading.Event()
        self._pause = pause or self._cancelled.wait
        self._throttle = Throttle(policy.max_rate)
        self._http: Transport = HttpTransport(http, policy.workers)
        self._file: Transport = FileTransport()

    def small(
        self, name: str, mirror: str, paths: Sequence[str], *, limit: int, validators: Validators
    ) -> Small:
        """The content of a file whose size is not known beforehand, at most `limit` bytes.

        Of one mirror: which of several states of a suite to believe is for the caller to judge.
        Raises DownloadFailed, Offline.
        """
        effort = Effort(name)
        for url in self._urls([mirror], paths):
            for _ in effort.attempts_at(url, self.policy.attempts):
                answer, verdict = self._ask(effort, 0, validators)
                if verdict is Verdict.NEXT:
                    break
                if verdict is Verdict.UNCHANGED:
                    return Small(None, validators)
                if answer is not None and verdict is Verdict.TAKE:
                    try:
                        return Small(_collect(answer.body, limit), answer.validators)
                    except TransportError as error:
                        self._failed(effort, str(error))
        raise DownloadFailed(name, effort.tried)

    def files(self, wanted: Sequence[Wanted]) -> None:
        """Fetch every file that is not at its destination yet.

        Raises:
            DownloadFailed, BadHash, NoRoom, Offline: for the first that failed; the others are stopped
                and what they had is kept for the next time.
        """
        by_place = {want.destination: want for want in wanted}
        missing = [want for place, want in by_place.items() if not os.path.exists(place)]
        if self.policy.offline and missing and not self._all_local():
            raise Offline(missing[0].name)
        if len(missing) == 1:
            self._one(missing[0])
        elif missing:
            self._many(missing)

    def _all_local(self) -> bool:
        return all(mirror.startswith(("file:", "copy:")) for mirror in self.mirrors)

    def _many(self, wanted: Sequence[Wanted]) -> None:
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        with ThreadPoolExecutor(self.policy.workers) as pool:
            futures = [pool.submit(self._one, want) for want in wanted]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Also on Ctrl-C, which arrives in this thread: the workers see it at their next chunk.
                if any(not future.done() or future.exception() for future in futures):
                    self._cancelled.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    self._cancelled.clear()
        failures = [error for future in done if (error := future.exception())]
        for error in sorted(failures, key=lambda found: isinstance(found, Cancelled)):
            raise error

    def _one(self, want: Wanted) -> None:
        partial = os.path.join(os.path.dirname(want.destination), b"partial", want.sha256.encode())
        self._progress.started(want.name, want.size)
        try:
            make_directories(os.path.dirname(partial))
            with held(partial, self._wait_for_other):
                if not os.path.exists(want.destination):  # another process may have fetched it meanwhile
                    self._transfer(want, partial)
                    os.rename(partial, want.destination)
                    sync_directory(os.path.dirname(want.destination))
        except OSError as error:
            raise NoRoom(want.destination, error.strerror or str(error)) from error
        self._progress.finished(want.name)

    def _wait_for_other(self, seconds: float) -> None:
        self._stop_if_cancelled()
        self._cancelled.wait(seconds)

    def _transfer(self, want: Wanted, partial: bytes) -> None:
        effort = Effort(want.name)
        wrong_hash = False
        for url in self._urls(self.mirrors, want.paths):
            if not self._complete(url, want, partial, effort):
                continue
            if _digest_of(partial) == want.sha256:
                return
            os.truncate(partial, 0)
            effort.tried[url] = f"the content's hash is not {want.sha256}"
            wrong_hash = True
        raise (BadHash if wrong_hash else DownloadFailed)(want.name, effort.tried)

    def _complete(self, url: str, want: Wanted, partial: bytes, effort: Effort) -> bool:
        """Ask one address until the partial file has its full size; False if it does not get there."""
        validators = Validators()
        for _ in effort.attempts_at(url, self.policy.attempts):
            held = _size_of(partial)
            if 0 < held == want.size:
                return True
            answer, verdict = self._ask(effort, held, validators)
            if verdict is Verdict.NEXT:
                return False
            if verdict is Verdict.RESTART:
                os.truncate(partial, 0)
            if answer is None or verdict is not Verdict.TAKE:
                continue
            validators = answer.validators
            try:
                self._write(answer, want, partial, held)
            except TransportError as error:
                self._failed(effort, str(error))
            else:
                return True
        return False

    def _urls(self, mirrors: Sequence[str], paths: Sequence[str]) -> Iterator[str]:
        for mirror in mirrors:
            for path in paths:
                url = f"{mirror}/{path}"
                if self.policy.offline and not url.startswith(("file:", "copy:")):
                    raise Offline(path)
                yield url

    def _ask(self, effort: Effort, offset: int, validators: Validators) -> tuple[Answer | None, Verdict]:
        url = effort.url
        transport = self._file if url.startswith(("file:", "copy:")) else self._http
        self._stop_if_cancelled()
        try:
            answer = transport.get(url, offset=offset, validators=validators, conditional=offset == 0)
        except TransportError as error:
            self._failed(effort, str(error))
            return None, Verdict.AGAIN
        verdict = VERDICTS.get(answer.status, Verdict.AGAIN if answer.status >= 500 else Verdict.NEXT)
        if verdict is Verdict.AGAIN:
            self._failed(effort, f"HTTP {answer.status}", answer.retry_after)
        elif verdict in (Verdict.NEXT, Verdict.RESTART):
            effort.tried[url] = f"HTTP {answer.status}"
        return answer, verdict

    def _failed(self, effort: Effort, reason: str, asked: float | None = None) -> None:
        """Remember why, and wait before the next attempt if there is one."""
        effort.tried[effort.url] = reason
        if effort.attempt + 1 >= self.policy.attempts:
            return
        delay = min(self.policy.max_backoff, asked or self.policy.backoff * 2**effort.attempt)
        self._progress.note(f"{effort.name}: {reason}; again in {delay:.1f} s")
        self._pause(delay)

    def _write(self, answer: Answer, want: Wanted, partial: bytes, held: int) -> None:
        """Add the body to what is there; a server that ignored the range starts the file again."""
        if answer.start not in (0, held):
            raise TransportError(f"the server answered from byte {answer.start} instead of {held}")
        pace = Pace(self.policy.min_rate, self.policy.patience)
        count = answer.start
        with contextlib.closing(answer.body), open(partial, "r+b" if answer.start else "wb") as stream:
            stream.seek(answer.start)
            stream.truncate()
            for chunk in answer.body:
                count += len(chunk)
                if count > want.size:
                    stream.truncate(0)
                    raise TransportError(f"it is longer than the {want.size} bytes it should have")
                stream.write(chunk)
                self._progress.received(want.name, len(chunk))
                self._throttle.spend(len(chunk), self._pause)
                pace.judge(len(chunk))
                self._stop_if_cancelled()
            stream.flush()
            os.fsync(stream.fileno())
        if count < want.size:
            raise TransportError(f"it ended after {count} of {want.size} bytes")

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled


class Throttle:
    """Keeps all transfers together below a rate."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = 0.0

    def spend(self, count: int, pause: Callable[[float], object]) -> None:
        """Account for `count` bytes, waiting until they fit the rate."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now) + count / self._rate
            delay = self._free_at - now
        if delay > 0:
            pause(delay)


class Pace:
    """Notices a transfer that goes on but leads nowhere."""

    def __init__(self, least: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._least = least
        self._patience = patience
        self._clock = clock
        self._since = clock()
        self._count = 0

    def judge(self, count: int) -> None:
        """Account for `count` bytes. Raises TooSlow when a window of patience brought too few."""
        self._count += count
        passed = self._clock() - self._since
        if passed < self._patience:
            return
        if self._count < self._least * passed:
            raise TooSlow(f"only {self._count / passed:.0f} bytes a second for {passed:.0f} s")
        self._since, self._count = self._clock(), 0


def _collect(body: Generator[bytes, None, None], limit: int) -> bytes:
    pieces, total = [], 0
    with contextlib.closing(body):
        for chunk in body:
            total += len(chunk)
            if total > limit:
                raise TransportError(f"it is longer than {limit} bytes")
            pieces.append(chunk)
    return b"".join(pieces)


def _size_of(path: bytes) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def _digest_of(path: bytes) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
