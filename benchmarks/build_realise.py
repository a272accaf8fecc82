"""Realising real packages against unpacking them with dpkg-deb.

denizen verifies hashes, unpacks, digests, scans for references, syncs and registers; `dpkg-deb -x` only
unpacks, and what it wrote may be lost with the power, so its time is shown with a sync as well.
The packages are those installed here, from the archive the machine is configured for; kept in .cache.
"""

import hashlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.support import table
from denizen.build.derivation import Modulos, seal
from denizen.build.fetch import fetching
from denizen.build.realise import Manner, realise
from denizen.build.recipe import made_by
from denizen.build.unpack_deb import unpacking
from denizen.formats.hashes import Hash
from denizen.formats.storepath import StorePath
from denizen.sources.opener import UrlOpener
from denizen.sources.transport import HttpSettings
from denizen.store.local import Store

COUNT = 200
CACHE = Path(".cache/benchmarks/debs")
ROUNDS = 3


def main() -> None:
    packages = _packages()
    if len(packages) < COUNT:
        print(f"only {len(packages)} of {COUNT} packages could be had; nothing is measured")
        return
    jobs = len(os.sched_getaffinity(0))
    rounds = [_round(packages, jobs) for _ in range(ROUNDS)]
    ours, theirs, synced = (statistics.median(times) for times in zip(*rounds, strict=True))
    size = sum(package.stat().st_size for package in packages) / 1e6
    print(f"{COUNT} packages, {size:.0f} MB, {jobs} at once, medians of {ROUNDS}")
    rows = [
        ("", "seconds", "denizen is"),
        ("denizen realise (unpacked, hashed, scanned, synced, registered)", f"{ours:.2f}", ""),
        ("dpkg-deb -x", f"{theirs:.2f}", f"{ours / theirs:.2f} x"),
        ("dpkg-deb -x, then sync", f"{synced:.2f}", f"{ours / synced:.2f} x"),
    ]
    print(table(rows))


def _packages() -> list[Path]:
    CACHE.mkdir(parents=True, exist_ok=True)
    if len(list(CACHE.glob("*.deb"))) < COUNT:
        names = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package}\n"], capture_output=True, text=True, check=True
        ).stdout.split()
        for name in names:
            if len(list(CACHE.glob("*.deb"))) >= COUNT:
                break
            subprocess.run(["apt-get", "download", "-qq", name], cwd=CACHE, capture_output=True, check=False)
    return sorted(CACHE.glob("*.deb"))[:COUNT]


def _round(packages: Sequence[Path], jobs: int) -> tuple[float, float, float]:
    top = Path(tempfile.mkdtemp(prefix="denizen-realise-"))
    try:
        store = Store.create(os.fsencode(top / "store"))
        opener = UrlOpener(HttpSettings(), jobs)
        fetches, trees = _derivations(store, packages)
        realise(store, fetches, Manner(opener, jobs))
        os.sync()
        ours = _seconds(lambda: realise(store, trees, Manner(opener, jobs)))
        store.close()
        os.sync()
        theirs = _seconds(lambda: _extract(packages, top, jobs))
        return ours, theirs, theirs + _seconds(os.sync)
    finally:
        shutil.rmtree(top)


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
    def extract(package: Path) -> None:
        subprocess.run(["dpkg-deb", "-x", package, top / package.stem], check=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(extract, packages))


def _seconds(run: Callable[[], object]) -> float:
    before = time.perf_counter()
    run()
    return time.perf_counter() - before
