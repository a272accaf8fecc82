"""What the index's benchmarks share: a mirror of one suite on this machine, indexes made of it, an apt-file.

The mirror holds what denizen and apt-file fetch of one suite and architecture, as the archive has it:
signed, by hash. It is fetched once and kept in .cache; what is measured talks to 127.0.0.1.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.stores import clean_environment, denizen
from denizen.disk_view import DiskView
from denizen.formats.release import Release, parse_release
from denizen.sources.errors import DownloadFailed
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.fetcher import Fetcher, FileRequest
from denizen.sources.openpgp import best_verifier
from denizen.sources.proxies import proxies_from
from denizen.sources.source_settings import default_debian
from denizen.sources.transport import HttpSettings, Validators
from tests.support.apt import APT_FILE_CONFIGURATION, Apt

CACHE = Path(".cache/benchmarks").absolute()
MIRROR = CACHE / "mirror"
SUITE = "stable"
ARCHITECTURE = "amd64"
FILES = tuple(
    f"main/{name}"
    for name in (
        f"binary-{ARCHITECTURE}/Packages.xz",
        f"Contents-{ARCHITECTURE}.gz",
        "Contents-all.gz",
    )
)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@contextmanager
def mirror() -> Iterator[str]:
    """The address of the mirror while it is served."""
    _fill()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=os.fspath(MIRROR)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


def _fill() -> None:
    """Fetch what is missing of the suite's present state, verified as denizen verifies it."""
    setting = default_debian(DiskView())
    fetcher = Fetcher(setting.uris, HttpSettings(proxies_from(os.environ)), FetchPolicy())
    base = MIRROR / "dists" / SUITE
    place = base / "InRelease"
    if not place.exists():
        name = f"dists/{SUITE}/InRelease"
        try:
            small = fetcher.small(name, setting.uris[0], name, limit=1 << 20, validators=Validators())
        except DownloadFailed as error:
            raise SystemExit(f"the benchmark needs the archive once: {error}") from error
        assert small.content is not None
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(small.content)
    verifier = best_verifier()
    release = parse_release(verifier.inline("InRelease", place.read_bytes(), setting.keyrings))
    wanted = [_wanted(base, name, release) for name in FILES]
    for want in wanted:
        os.makedirs(os.path.dirname(want.destination), exist_ok=True)
    fetcher.files(wanted)
    for want, name in zip(wanted, FILES, strict=True):
        plain = base / name
        plain.unlink(missing_ok=True)
        plain.symlink_to(os.path.relpath(os.fsdecode(want.destination), plain.parent))


def _wanted(base: Path, name: str, release: Release) -> FileRequest:
    promise = release.files[name]
    parent = os.path.dirname(name)
    by_hash = f"{parent}/by-hash/SHA256/{promise.sha256}"
    return FileRequest(
        name=name,
        paths=(f"dists/{SUITE}/{by_hash}",),
        destination=os.fsencode(base / by_hash),
        size=promise.size,
        sha256=promise.sha256,
    )


def configure(root: Path, address: str) -> None:
    """A denizen that knows the mirror alone."""
    sources = root / "config/sources"
    sources.mkdir(parents=True)
    (sources / "debian.sources").write_text(f"Types: deb\nURIs: {address}\nSuites: {SUITE}\n")


def update(root: Path, *options: str) -> list[str]:
    """The command that updates the index."""
    return denizen(root, "index", "update", "--arch", ARCHITECTURE, *options)


def apt_file(root: Path, address: str) -> Apt | None:
    """An apt-file of the benchmark's own that knows the mirror alone; None where it is not installed."""
    if not APT_FILE_CONFIGURATION.exists() or not KEYRING.exists():
        print("apt-file is not installed; `make tools` installs it")
        return None
    return Apt(root, address, [SUITE], [ARCHITECTURE], KEYRING)


def cost(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """(seconds, MB at most resident) of a command's whole run."""
    before = time.perf_counter()
    environment = environment or clean_environment()
    devnull = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (1, 2)]
    pid = os.posix_spawnp(command[0], list(command), environment, file_actions=devnull)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - before
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1024
