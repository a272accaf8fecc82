"""An FHS environment beside bubblewrap (entering) and debootstrap with apt-get (making one of 100 packages).

Entering: the same static program is started plainly, by bubblewrap over this host's root, by the
environment's prepared command, by its launcher script, and by `denizen fhs run`; they take turns.

Making: both have index and package files locally. debootstrap makes a minimal root from its own tarball, and
apt-get installs the rest into it without downloading; denizen starts with an empty store. Needs root.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.support import median_starts, table
from denizen.disk_view import DiskView
from denizen.sources.source_settings import default_debian
from tests.support.peers import require

ROUNDS = int(os.environ.get("ROUNDS", "2"))
STARTS = int(os.environ.get("STARTS", "40"))
SUITE = "trixie"
# With the base set and all they depend on: about a hundred packages.
PACKAGES = ("git", "curl", "python3", "perl", "vim-tiny", "rsync", "file", "less", "procps", "make")
_ENTERING = 0.005
_MAKING = 3


def main() -> None:
    """Print medians, the time that entering adds, and the ratio of making."""
    require("bwrap", "debootstrap", "gcc")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "denizen-tests" / "fhs"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        here = Path(directory)
        names = prepared(cache)
        rounds = []
        for _ in range(ROUNDS):
            made = make_once(here, cache)
            rounds.append((made, *debian_once(here, cache, names)))
        report(len(names), [statistics.median(times) for times in zip(*rounds, strict=True)])
        entering(here)
        subprocess.run(["chmod", "-R", "u+w", here], check=True)


def denizen(root: Path, *words: str) -> str:
    command = [str(Path(sys.executable).with_name("denizen")), "--root", str(root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def prepared(cache: Path) -> list[str]:
    """Fill denizen's cache with the index and the packages; their names."""
    denizen(cache / "denizen", "fhs", "create", "bench", *PACKAGES, "--suite", SUITE)
    shown = json.loads(denizen(cache / "denizen", "fhs", "show", "bench", "--json"))
    # Without their versions: while the archive changes, apt-get may read a newer state than denizen did.
    return [part["name"] for part in shown["parts"]]


def make_once(here: Path, cache: Path) -> float:
    """One environment, with an empty store and nothing known of the packages."""
    root = here / "denizen"
    if root.exists():
        subprocess.run(["chmod", "-R", "u+w", root], check=True)
        shutil.rmtree(root)
    for part in ("index", "lists", "packages"):
        shutil.copytree(cache / "denizen" / "cache" / part, root / "cache" / part, copy_function=os.link)
    began = time.monotonic()
    denizen(root, "fhs", "create", "bench", *PACKAGES, "--suite", SUITE, "--offline")
    return time.monotonic() - began


def debian_once(here: Path, cache: Path, names: list[str]) -> tuple[float, float]:
    """(debootstrap, apt-get) of the same packages, from local files."""
    mirror = default_debian(DiskView()).uris[0]
    tarball, archives = cache / "minbase.tgz", cache / "archives"
    command = ["debootstrap", "--variant=minbase"]
    if not tarball.exists():
        scratch = str(here / "scratch")
        run([*command, f"--make-tarball={tarball}", SUITE, scratch, mirror])
    root = here / "root"
    subprocess.run(["rm", "-rf", root], check=True)
    began = time.monotonic()
    run([*command, f"--unpack-tarball={tarball}", SUITE, str(root), mirror])
    bootstrapped = time.monotonic() - began
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "chroot", str(root), "apt-get", "-y", "-qq"]
    run([*apt, "update"])
    install = [*apt, "install", "--no-install-recommends"]
    if archives.exists():
        shutil.copytree(archives, root / "var/cache/apt/archives", dirs_exist_ok=True)
    run([*install, "--download-only", *names])
    archives.mkdir(exist_ok=True)
    for path in (root / "var/cache/apt/archives").glob("*.deb"):
        shutil.copy(path, archives / path.name)
    began = time.monotonic()
    run([*install, "--no-download", *names])
    return bootstrapped, time.monotonic() - began


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def entering(here: Path) -> None:
    """Print what starting a static program costs in each way."""
    program = here / "nothing"
    source = b"int main(void) { return 0; }"
    subprocess.run(["gcc", "-static", "-O2", "-x", "c", "-", "-o", program], input=source, check=True)
    launcher = here / "denizen/state/fhs/bench/launch"
    # The launcher's end is the prepared command, and `env`, which looks the program up.
    words = launcher.read_text().partition("\nexec ")[2].rpartition(" /usr/bin/env ")[0]
    prepared_words = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {words}"], capture_output=True, text=True, check=True
    ).stdout.split("\0")[:-1]
    denizen_words = [str(Path(sys.executable).with_name("denizen")), "--root", str(here / "denizen")]
    cases = {
        "the program itself": [str(program)],
        "bubblewrap": ["bwrap", "--dev-bind", "/", "/", str(program)],
        "prepared command": [*prepared_words, str(program)],
        "launcher script": [str(launcher), str(program)],
        "denizen fhs run": [*denizen_words, "fhs", "run", "bench", str(program)],
    }
    times = dict(zip(cases, median_starts(list(cases.values()), repeats=STARTS), strict=True))
    print(table([("median start", "ms"), *((name, f"{t * 1000:.2f}") for name, t in times.items())]))
    for name in ("prepared command", "launcher script", "denizen fhs run"):
        more = times[name] - times["bubblewrap"]
        print(
            f"{name}: {more * 1000:+.2f} ms beside bubblewrap alone (claim: at most {_ENTERING * 1000:+.0f})"
        )


def report(count: int, times: list[float]) -> None:
    ours, bootstrap, install = times
    rows = [
        ("denizen fhs create", ours),
        ("debootstrap, minimal", bootstrap),
        (f"apt-get install up to the same {count} packages", install),
    ]
    print(table([("median", "s"), *((name, f"{seconds:.2f}") for name, seconds in rows)]))
    print(f"making: {(bootstrap + install) / ours:.1f} times as fast (claim: {_MAKING})")


if __name__ == "__main__":
    main()
