"""Realising real packages against unpacking them with dpkg-deb and against installing them with dpkg.

denizen verifies hashes, unpacks, digests, scans for references, syncs and registers; `dpkg-deb -x` only
unpacks, and what it wrote may be lost with the power, so its time is shown with a sync as well.
`dpkg -i` installs into a fresh root, as root and by chroot, where the essential packages were unpacked
beforehand so that maintainer scripts find a shell; they run as they are, services are not started, and
what a script fails at for want of another package is passed over (--force-all).
The packages are those installed here, from the archive the machine is configured for; kept in .cache.

Claims (issue 4): within 1.5 times dpkg-deb on as many cores, and 3 times as fast as dpkg -i.
"""

import hashlib
import math
import os
import shutil
import stat
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
    rounds = [_round(packages, jobs, number) for number in range(ROUNDS)]
    ours, theirs, synced = (statistics.median(times) for times in zip(*rounds, strict=True))
    installed = _installed(packages)
    size = sum(package.stat().st_size for package in packages) / 1e6
    print(f"{COUNT} packages, {size:.0f} MB, {jobs} at once, medians of {ROUNDS}")
    rows = [
        ("", "seconds", "denizen is"),
        ("denizen realise (unpacked, hashed, scanned, synced, registered)", f"{ours:.2f}", ""),
        ("dpkg-deb -x", f"{theirs:.2f}", f"{ours / theirs:.2f} x"),
        ("dpkg-deb -x, then sync", f"{synced:.2f}", f"{ours / synced:.2f} x"),
        ("dpkg -i, once", f"{installed:.2f}", f"{ours / installed:.2f} x"),
    ]
    print(table(rows))


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


def _round(packages: Sequence[Path], jobs: int, number: int) -> tuple[float, float, float]:
    """Seconds of (denizen, dpkg-deb, dpkg-deb and sync); who comes first changes from round to round."""
    top = Path(tempfile.mkdtemp(prefix="denizen-realise-"))
    try:
        store = Store.create(os.fsencode(top / "store"))
        opener = UrlOpener(HttpSettings(), jobs)
        fetches, trees = _derivations(store, packages)
        realise(store, fetches, Manner(opener, jobs))
        times: dict[str, float] = {}
        steps: dict[str, Callable[[], object]] = {
            "ours": lambda: realise(store, trees, Manner(opener, jobs)),
            "theirs": lambda: _extract(packages, top, jobs),
        }
        for name in sorted(steps, reverse=number % 2 == 1):
            os.sync()
            times[name] = _seconds(steps[name])
            times[f"sync after {name}"] = _seconds(os.sync)
        store.close()
        return times["ours"], times["theirs"], times["theirs"] + times["sync after theirs"]
    finally:
        shutil.rmtree(top)


def _installed(packages: Sequence[Path]) -> float:
    """Seconds of `dpkg -i` in a fresh root; not a number where there is no root to chroot."""
    if os.geteuid() != 0:
        print("dpkg -i in a fresh root needs root")
        return math.nan
    top = Path(tempfile.mkdtemp(prefix="denizen-dpkg-"))
    try:
        _fresh_root(top)
        for package in packages:
            shutil.copy(package, top / "debs")
        os.sync()
        command = [
            "chroot",
            os.fspath(top),
            "sh",
            "-c",
            "exec dpkg -i --force-all --abort-after=100000 /debs/*.deb",
        ]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C",
        }
        before = time.perf_counter()
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        taken = time.perf_counter() - before
        print(f"dpkg -i: {done.stdout.count('Setting up ')} of {len(packages)} packages set up")
        return taken
    finally:
        shutil.rmtree(top)


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
    def extract(package: Path) -> None:
        subprocess.run(["dpkg-deb", "-x", package, top / package.stem], check=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(extract, packages))


def _seconds(run: Callable[[], object]) -> float:
    before = time.perf_counter()
    run()
    return time.perf_counter() - before
