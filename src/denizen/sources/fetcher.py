"""Fetcher: fetch files from mirrors that may be slow, unreachable or malicious.

`VERDICTS` maps each answer to the next action. A file is written beside its destination and renamed there
only after its hash was checked. An interrupted transfer is resumed in the same run or the next: the
partial file is named by the hash of the complete one, so resuming is safe without a validator, which only
avoids a useless transfer.
"""

from __future__ import annotations

import contextlib
import os
import threading
from enum import Enum

from denizen.disk import make_directories, sync_directory
from denizen.sources.base import SilentTransfer
from denizen.sources.errors import HashMismatch, NoRoom, Offline
from denizen.sources.fetch_record import AnotherFile, FetchRecord
from denizen.sources.file_cache import is_as_promised, note_as_promised
from denizen.sources.partial_file import held
from denizen.sources.transfer_rates import Pace, Throttle, TooSlow
from denizen.sources.transport import FileTransport, HttpTransport, TransportError, UnknownHost, Validators
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from denizen.sources.base import Progress
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.sources.transport import Answer, HttpSettings, Transport


class RequestVerdict(Enum):
    """The action after one request."""

    TAKE = "take"
    UNCHANGED = "unchanged"
    AGAIN = "again"
    RESTART = "restart"
    NEXT = "next"


# Answers that mean the file does not exist; other errors below 500 mean that the request is not allowed.
_MISSING = (404, 410)
# For answers not listed: below 500 the next address is tried, from 500 on the same one again.
VERDICTS: Mapping[int, RequestVerdict] = {
    200: RequestVerdict.TAKE,
    206: RequestVerdict.TAKE,
    304: RequestVerdict.UNCHANGED,
    408: RequestVerdict.AGAIN,
    416: RequestVerdict.RESTART,  # the partial file is longer than the file, so it is another file
    425: RequestVerdict.AGAIN,
    429: RequestVerdict.AGAIN,
}


class FileRequest(Value):
    """A file to fetch.

    Attributes:
        name: the name shown to people.
        paths: its paths below a mirror's address, the preferred one first (by-hash, then plain).
        destination: the path it is written to.
        size, sha256: the size in bytes and SHA-256 in hex it must have.
    """

    name: str
    paths: tuple[str, ...]
    destination: bytes
    size: int
    sha256: str


class Small(Value):
    """A small file read into memory, not yet verified; content is None if it has not changed."""

    content: bytes | None
    validators: Validators


class Cancelled(Exception):
    """Another transfer failed or the user interrupted; the bytes received so far are kept."""


class Fetcher:
    """Fetches from a list of mirrors, several files at a time over persistent connections."""

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
        self._progress: Progress = progress or SilentTransfer()
        self._cancelled = threading.Event()
        self._pause = pause or self._cancelled.wait
        self._throttle = Throttle(policy.max_rate)
        self._http: Transport = HttpTransport(http, policy.workers)
        self._file: Transport = FileTransport()

    def note(self, text: str) -> None:
        """Pass a note to the Progress."""
        self._progress.note(text)

    def small(
        self, name: str, mirror: str, path: str, *, limit: int, validators: Validators, anew: bool = False
    ) -> Small:
        """Return the content of a file whose size is not known beforehand, at most `limit` bytes.

        Only `mirror` is asked: the caller decides which of several states of a suite to trust. `anew`
        bypasses caches, and the validators are not sent. Raises DownloadFailed, Offline.
        """
        record = FetchRecord(name, anew=anew)
        self._progress.started(name, None)
        try:
            small = self._small(record, mirror, path, limit, validators)
        except BaseException:
            self._progress.failed(name)
            raise
        self._progress.finished(name)
        return small

    def _small(
        self, record: FetchRecord, mirror: str, path: str, limit: int, validators: Validators
    ) -> Small:
        for url in self._urls([mirror], [path]):
            for _ in record.attempts_at(url, self.policy.attempts):
                answer, verdict = self._ask(record, 0, validators, conditional=validators != Validators())
                if verdict is RequestVerdict.NEXT:
                    break
                if verdict is RequestVerdict.UNCHANGED:
                    return Small(None, validators)
                if answer is None or verdict is not RequestVerdict.TAKE:
                    continue
                try:
                    return Small(self._collect(record.name, answer.body, limit), answer.validators)
                except TooSlow as error:
                    record.tried[url] = str(error)
                    break
                except TransportError as error:
                    self._failed(record, str(error))
        raise record.failure()

    def _collect(self, name: str, body: Generator[bytes, None, None], limit: int) -> bytes:
        pace = Pace(self.policy.min_rate, self.policy.patience)
        pieces, total = [], 0
        with contextlib.closing(body):
            for chunk in body:
                total += len(chunk)
                if total > limit:
                    raise TransportError(f"it is longer than {limit} bytes")
                pieces.append(chunk)
                self._progress.received(name, len(chunk))
                pace.account(len(chunk))
                self._stop_if_cancelled()
        return b"".join(pieces)

    def files(
        self, wanted: Sequence[FileRequest], mirrors: Sequence[str] | None = None, *, anew: bool = False
    ) -> None:
        """Fetch every file that is not at its destination yet, from `mirrors` or from all mirrors.

        A file whose content does not have the stated hash is fetched again. `anew` bypasses caches.

        Raises:
            DownloadFailed, HashMismatch, NoRoom, Offline: for the first that failed; the others are stopped,
                and their partial files are kept for the next time.
        """
        by_place = {want.destination: want for want in wanted}
        missing = [want for place, want in by_place.items() if not is_as_promised(place, want.sha256)]
        places = self.mirrors if mirrors is None else mirrors
        if self.policy.offline and missing and not _all_local(places):
            raise Offline(missing[0].name)
        if len(missing) == 1:
            self._one(missing[0], places, anew=anew)
        elif missing:
            self._many(missing, places, anew=anew)

    def _many(self, wanted: Sequence[FileRequest], mirrors: Sequence[str], *, anew: bool) -> None:
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        with ThreadPoolExecutor(self.policy.workers) as pool:
            futures = [pool.submit(self._one, want, mirrors, anew=anew) for want in wanted]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Also on Ctrl-C, which is raised in this thread: the workers stop at their next chunk.
                if any(not future.done() or future.exception() for future in futures):
                    self._cancelled.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    self._cancelled.clear()
        failures = [error for future in done if (error := future.exception())]
        for error in sorted(failures, key=lambda found: isinstance(found, Cancelled)):
            raise error

    def _one(self, want: FileRequest, mirrors: Sequence[str], *, anew: bool) -> None:
        self._progress.started(want.name, want.size)
        try:
            self._bring(want, mirrors, anew=anew)
        except OSError as error:
            self._progress.failed(want.name)
            raise NoRoom(want.destination, error.strerror or str(error)) from error
        except BaseException:
            self._progress.failed(want.name)
            raise
        self._progress.finished(want.name)

    def _bring(self, want: FileRequest, mirrors: Sequence[str], *, anew: bool) -> None:
        directory = os.path.dirname(want.destination)
        partial = os.path.join(directory, b"partial", want.sha256.encode())
        make_directories(os.path.dirname(partial))
        with held(partial, self._wait_for_other):
            # Another process may have fetched it meanwhile.
            if not is_as_promised(want.destination, want.sha256):
                self._transfer(want, partial, mirrors, FetchRecord(want.name, anew=anew))
                os.rename(partial, want.destination)
                note_as_promised(want.destination, want.sha256)
                sync_directory(directory)

    def _wait_for_other(self, seconds: float) -> None:
        self._stop_if_cancelled()
        self._cancelled.wait(seconds)

    def _transfer(
        self, want: FileRequest, partial: bytes, mirrors: Sequence[str], record: FetchRecord
    ) -> None:
        wrong_hash = False
        for url in self._urls(mirrors, want.paths):
            if not self._complete(url, want, partial, record):
                continue
            if _digest_of(partial) == want.sha256:
                return
            os.truncate(partial, 0)
            record.refuse(f"the content's hash is not {want.sha256}")
            wrong_hash = True
        raise HashMismatch(want.name, record.tried) if wrong_hash else record.failure()

    def _complete(self, url: str, want: FileRequest, partial: bytes, record: FetchRecord) -> bool:
        """Request from one address until the partial file has its full size; return False if it fails."""
        validators = Validators()
        for _ in record.attempts_at(url, self.policy.attempts):
            held = _size_of(partial)
            if 0 < held == want.size:
                return True
            answer, verdict = self._ask(record, held, validators, conditional=False)
            if verdict is RequestVerdict.NEXT:
                return False
            if verdict is RequestVerdict.RESTART:
                os.truncate(partial, 0)
            if answer is None or verdict is not RequestVerdict.TAKE:
                continue
            validators = answer.validators
            try:
                self._write(answer, want, partial, held)
            except AnotherFile as error:
                record.refuse(str(error))
                return False
            except TransportError as error:
                self._failed(record, str(error))
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

    def _ask(
        self, record: FetchRecord, offset: int, validators: Validators, *, conditional: bool
    ) -> tuple[Answer | None, RequestVerdict]:
        url = record.url
        transport = self._file if url.startswith(("file:", "copy:")) else self._http
        self._stop_if_cancelled()
        try:
            answer = transport.get(
                url,
                offset=offset,
                validators=validators,
                conditional=conditional and not record.anew,
                anew=record.anew,
            )
        except UnknownHost as error:
            record.tried[url] = str(error)
            return None, RequestVerdict.NEXT
        except TransportError as error:
            self._failed(record, str(error))
            return None, RequestVerdict.AGAIN
        verdict = VERDICTS.get(
            answer.status, RequestVerdict.AGAIN if answer.status >= 500 else RequestVerdict.NEXT
        )
        if verdict is RequestVerdict.UNCHANGED and (record.anew or not conditional):
            verdict = RequestVerdict.NEXT  # nobody asked whether it has changed
        if verdict is RequestVerdict.AGAIN:
            self._failed(record, f"HTTP {answer.status}", answer.retry_after)
        elif answer.status in _MISSING:
            record.refuse(f"HTTP {answer.status}")
        elif verdict in (RequestVerdict.NEXT, RequestVerdict.RESTART):
            record.tried[url] = f"HTTP {answer.status}"
        return answer, verdict

    def _failed(self, record: FetchRecord, reason: str, asked: float | None = None) -> None:
        """Record the reason, and wait before the next attempt if there is one."""
        record.tried[record.url] = reason
        if record.attempt + 1 >= self.policy.attempts:
            return
        delay = min(self.policy.max_backoff, asked or self.policy.backoff * 2**record.attempt)
        self._progress.note(f"{record.name}: {reason}; again in {delay:.1f} s")
        self._pause(delay)

    def _write(self, answer: Answer, want: FileRequest, partial: bytes, held: int) -> None:
        """Append the body to the partial file; if the server ignored the range, start the file again."""
        if answer.start not in (0, held):
            raise TransportError(f"the server answered from byte {answer.start} instead of {held}")
        if answer.length is not None and answer.start + answer.length != want.size:
            answer.body.close()
            raise AnotherFile(f"it has {answer.start + answer.length} bytes instead of {want.size}")
        pace = Pace(self.policy.min_rate, self.policy.patience)
        count = answer.start
        with contextlib.closing(answer.body), open(partial, "r+b" if answer.start else "wb") as stream:
            stream.seek(answer.start)
            stream.truncate()
            for chunk in answer.body:
                count += len(chunk)
                if count > want.size:
                    stream.truncate(0)
                    raise AnotherFile(f"it is longer than the {want.size} bytes it should have")
                stream.write(chunk)
                self._progress.received(want.name, len(chunk))
                self._throttle.spend(len(chunk), self._pause)
                pace.account(len(chunk))
                self._stop_if_cancelled()
            stream.flush()
            os.fsync(stream.fileno())
        if count < want.size:
            raise TransportError(f"it ended after {count} of {want.size} bytes")

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled


def _size_of(path: bytes) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def _digest_of(path: bytes) -> str:
    import hashlib  # OpenSSL, 2.7 ms

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _all_local(mirrors: Sequence[str]) -> bool:
    return all(mirror.startswith(("file:", "copy:")) for mirror in mirrors)
