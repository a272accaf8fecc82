"""Realising real packages against unpacking them with dpkg-deb and against installing them with dpkg.

denizen verifies hashes, unpacks, digests, scans for references, syncs and registers; `dpkg-deb -x` only
unpacks, and what it wrote may be lost with the power, so its time is shown with a sync as well.
`dpkg -i` installs into a fresh root, as root and by chroot, where the essential packages were unpacked
beforehand so that maintainer scripts find a shell; they run as they are, services are not started, and
what a script fails at for want of another package is passed over (--force-all). That it syncs every file is
not what takes its time: with --force-unsafe-io it took 39.1 s where it takes 38.1.
The packages are those installed here, from the archive the machine is configured for; kept in .cache.

denizen decodes by the archive's liblzma where Python's is older than 5.6, as after an index update; its
time by Python's own is shown too, once.

Everything lies on one file system, that of TMPDIR. Nothing is deleted before the end: ext4 does not reuse
an inode for minutes after it was freed, and looks at each such one again for every file that is made. What
that costs at the beginning is shown; where it is much above 40 us, wait five minutes.

Claims (issue 4): within 1.5 times dpkg-deb on as many cores, and 3 times as fast as dpkg -i.
"""

import hashlib
import os
import shutil
import stat
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support import table
from denizen.app.supply.ensure_index import ensure
from denizen.app.supply.liblzma_setup import provide_decoder
from denizen.app.supply.own_architecture import own_architecture
from denizen.app.supply.store_access import store_directory
from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_fetch import fetching
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.derivation import Modulos, seal
from denizen.build.liblzma_choice import opened
from denizen.build.realise import RealiseOptions, realise
from denizen.formats.compression import prefer_xz
from denizen.formats.hashes import Hash
from denizen.formats.storepath import StorePath
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.transport import HttpSettings
from denizen.sources.url_opener import UrlOpener
from denizen.store.local import Store
from tests.support.real_archive import one_at_a_time, real_archive

if TYPE_CHECKING:
    from denizen.formats.compression import XzMaker

COUNT = 200
CACHE = Path(".cache/benchmarks/debs")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PROBES = 2000


def main() -> None:
    packages = _packages()
    if len(packages) < COUNT:
        print(f"only {len(packages)} of {COUNT} packages could be had; nothing is measured")
        return
    jobs = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="denizen-realise-", ignore_cleanup_errors=True) as top:
        print(f"an empty file takes {_empty_file(Path(top) / 'probe') * 1e6:.0f} us here")
        rounds = [_round(packages, jobs, Path(top) / str(number), number) for number in range(ROUNDS)]
        median = {name: statistics.median(one[name] for one in rounds if name in one) for name in rounds[0]}
        if os.geteuid() == 0:
            median["dpkg -i"] = _installed(packages, Path(top) / "dpkg")
        else:
            print("dpkg -i in a fresh root needs root")
        _report(packages, jobs, median)
        subprocess.run(["chmod", "-R", "u+w", top], check=False)


OURS = "denizen realise"


def _report(packages: Sequence[Path], jobs: int, median: dict[str, float]) -> None:
    size = sum(package.stat().st_size for package in packages) / 1e6
    print(f"{COUNT} packages, {size:.0f} MB, {jobs} at once, medians of {ROUNDS} rounds; dpkg -i once")
    rows = [("", "seconds", "denizen's time to it", "denizen is")]
    for name, seconds in median.items():
        ratio = (f"{median[OURS] / seconds:.2f}", f"{seconds / median[OURS]:.1f} x as fast")
        rows.append((name, f"{seconds:.2f}", *(ratio if name != OURS else ("", ""))))
    print(table(rows))


def _empty_file(directory: Path) -> float:
    directory.mkdir()
    before = time.perf_counter()
    for number in range(PROBES):
        (directory / str(number)).touch()
    return (time.perf_counter() - before) / PROBES


def _packages() -> list[Path]:
    if len(list(CACHE.glob("*.deb"))) < COUNT:
        names = _query("${Package}")
        for name in names:
            if len(list(CACHE.glob("*.deb"))) >= COUNT:
                break
            _download(CACHE, [name])
    return sorted(CACHE.glob("*.deb"))[:COUNT]


def _query(form: str) -> list[str]:
    return subprocess.run(
        ["dpkg-query", "--show", f"--showformat={form}\n"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def _download(place: Path, names: Sequence[str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "-qq", *names], cwd=place, capture_output=True, check=False)


def _round(packages: Sequence[Path], jobs: int, top: Path, number: int) -> dict[str, float]:
    """Seconds of each; who comes first changes from round to round."""
    top.mkdir()
    opener = UrlOpener(HttpSettings(), jobs)
    newer = _newer_decoder()
    stores = {}
    for name in (OURS, f"{OURS}, {PYTHONS}") if newer and number == 0 else (OURS,):
        store = Store.create(os.fsencode(top / name))
        fetches, trees = _derivations(store, packages)
        realise(store, fetches, RealiseOptions(opener, jobs))
        stores[name] = (store, trees)

    def ours(name: str) -> None:
        prefer_xz(newer if name == OURS else None)
        store, trees = stores[name]
        realise(store, trees, RealiseOptions(opener, jobs))

    steps: dict[str, Callable[[], object]] = {name: partial(ours, name) for name in stores}
    steps["dpkg-deb -x"] = lambda: _extract(packages, top / "extracted", jobs)
    times: dict[str, float] = {}
    for name in sorted(steps, reverse=number % 2 == 1):
        os.sync()
        times[name] = _seconds(steps[name])
        times[f"{name}, then sync"] = times[name] + _seconds(os.sync)
    for store, _ in stores.values():
        store.close()
    prefer_xz(None)
    return {name: times[name] for name in (*stores, "dpkg-deb -x", "dpkg-deb -x, then sync")}


PYTHONS = "by Python's liblzma"


def _newer_decoder() -> "XzMaker | None":
    """The archive's liblzma, brought as an index update brings it; None where Python's own is as fast."""
    context = real_archive()
    with one_at_a_time(context):
        ensure(context.session, ("trixie",), own_architecture(), Scope.LIBRARIES, FetchPolicy())
        provide_decoder(context.session, FetchPolicy())
    found = opened(Store.create(store_directory(context.session)).layout)
    return found.decoder if found else None


def _installed(packages: Sequence[Path], top: Path) -> float:
    """Seconds of `dpkg -i` in a fresh root."""
    _fresh_root(top)
    for package in packages:
        shutil.copy(package, top / "debs")
    os.sync()
    install = "exec dpkg -i --force-all --abort-after=100000 /debs/*.deb"
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C",
    }
    before = time.perf_counter()
    done = subprocess.run(
        ["chroot", os.fspath(top), "sh", "-c", install],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - before
    print(f"dpkg -i: {done.stdout.count('Setting up ')} of {len(packages)} packages set up")
    return taken


def _fresh_root(top: Path) -> None:
    """The essential packages and what they depend on, unpacked; dpkg knows none of them."""
    base = CACHE.parent / "essential"
    if not any(base.glob("*.deb")):
        _download(base, _essential())
    for directory in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "debs", "dev"):
        (top / directory).mkdir(parents=True)
    (top / "var/lib/dpkg/status").touch()
    for name in ("bin", "sbin", "lib", "lib64"):
        # As debootstrap makes it; unpacking follows the links.
        (top / "usr" / name).mkdir(parents=True)
        (top / name).symlink_to(f"usr/{name}")
    for package in sorted(base.glob("*.deb")):
        content = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True)
        extract = ["tar", "-x", "--keep-directory-symlink", "-C", os.fspath(top)]
        subprocess.run(extract, input=content.stdout, check=True)
    os.mknod(top / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    policy = top / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def _essential() -> list[str]:
    depends = {}
    wanted = ["debconf", "perl-base"]
    for line in _query("${Package};${Essential};${Pre-Depends}, ${Depends}"):
        name, essential, relations = line.split(";")
        parts = [relation.strip().partition(" ")[0].partition(":")[0] for relation in relations.split(",")]
        depends[name] = [part for part in parts if part]
        wanted += [name] if essential == "yes" else []
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in depends and name not in found:
            found.add(name)
            wanted += depends[name]
    return sorted(found)


def _derivations(store: Store, packages: Sequence[Path]) -> tuple[list[StorePath], list[StorePath]]:
    modulos: Modulos = {}
    fetches, trees = [], []
    store_dir = store.layout.logical
    with store.working() as work:
        for package in packages:
            name = package.name.replace("%", "_").replace("~", "_")
            value = Hash("sha256", hashlib.sha256(package.read_bytes()).digest())
            fetch = seal(fetching([package.absolute().as_uri()], value, store_dir), name, modulos, store_dir)
            tree = seal(unpacking(made_by(fetch), store_dir), name.removesuffix(".deb"), modulos, store_dir)
            for one in (fetch, tree):
                work.add_text(one.path.name, one.content, one.references)
            fetches.append(fetch.path)
            trees.append(tree.path)
    return fetches, trees


def _extract(packages: Sequence[Path], top: Path, jobs: int) -> None:
    top.mkdir()

    def extract(package: Path) -> None:
        subprocess.run(["dpkg-deb", "-x", package, top / package.stem], check=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(extract, packages))


def _seconds(run: Callable[[], object]) -> float:
    before = time.perf_counter()
    run()
    return time.perf_counter() - before
