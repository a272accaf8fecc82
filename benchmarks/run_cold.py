"""The first start of a program that needs GTK 3 and NSS, beside apt-get installing the same packages.

Both have their index and their archive files locally, and nothing else: apt-get in a fresh Debian root made
by debootstrap, denizen with an empty store and no facts kept. What is timed ends with the program's exit,
and with apt-get's.
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

from benchmarks.support import table
from denizen.disk_view import DiskView
from denizen.sources.source_settings import default_debian
from tests.support.peers import require

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SUITE = "trixie"
SONAMES = ("libgtk-3.so.0", "libnss3.so")


def main() -> None:
    """Print medians and the ratio. Needs root, for the fresh root that apt-get works in."""
    require("debootstrap")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "denizen-tests" / "cold"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        here = Path(directory)
        program = compiled(here)
        names = prepared(cache, program)
        base = bootstrapped(cache, names)
        rounds = [(denizen_once(here, cache, program), apt_once(here, base, names)) for _ in range(ROUNDS)]
        report(len(names), [statistics.median(times) for times in zip(*rounds, strict=True)])


def compiled(here: Path) -> Path:
    """A program that asks for these libraries; it is linked with empty ones of that name."""
    linked = []
    for soname in SONAMES:
        linked.append(here / "empty" / soname)
        linked[-1].parent.mkdir(exist_ok=True)
        name = f"-Wl,-soname,{soname}"
        subprocess.run(["gcc", "-shared", name, "-x", "c", "/dev/null", "-o", linked[-1]], check=True)
    program = here / "one" / "two" / "program"
    program.parent.mkdir(parents=True)
    source = b"int main(void) { return 0; }"
    flags = ["-Wl,--no-as-needed", "-x", "c", "-", "-x", "none"]
    subprocess.run(["gcc", *flags, *linked, "-o", program], input=source, check=True)
    return program


def command(root: Path, *words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("denizen")), "--root", str(root), *words]


def denizen(root: Path, *words: str) -> str:
    return subprocess.run(command(root, *words), check=True, capture_output=True, text=True).stdout


def prepared(cache: Path, program: Path) -> list[str]:
    """Fill denizen's cache with the index and the packages; their names."""
    if (cache / "denizen").exists():
        # What an earlier version decided and kept may be of other packages.
        for part in ("state", "data"):
            subprocess.run(["chmod", "-R", "u+w", cache / "denizen" / part], check=False)
            shutil.rmtree(cache / "denizen" / part, ignore_errors=True)
    # Which also brings the archive's liblzma, for denizen itself (docs/decisions/0008).
    # While the archive changes, the update may fail; an index of before stays in force.
    known = (cache / "denizen" / "cache" / "index").exists()
    subprocess.run(
        command(cache / "denizen", "index", "update", "--suite", SUITE),
        check=not known,
        stdout=subprocess.DEVNULL,
    )
    denizen(cache / "denizen", "run", "--suite", SUITE, "--hermetic", str(program))
    plan = json.loads(
        denizen(cache / "denizen", "run", "--suite", SUITE, "--hermetic", "--json", "--plan", str(program))
    )
    # Without their versions: while the archive changes, apt-get may read a newer state than denizen did.
    return [package["name"] for package in plan["resolution"]["packages"]]


def denizen_once(here: Path, cache: Path, program: Path) -> float:
    """A first start: index and package files are there, facts and store are not."""
    root = Path(tempfile.mkdtemp(dir=here))
    for part in ("index", "lists", "packages"):
        shutil.copytree(cache / "denizen" / "cache" / part, root / "cache" / part, copy_function=os.link)
    # What is still to be written of what was prepared is not what is timed.
    os.sync()
    began = time.monotonic()
    denizen(root, "run", "--suite", SUITE, "--hermetic", "--offline", str(program))
    passed = time.monotonic() - began
    denizen(root, "store", "list")
    subprocess.run(["chmod", "-R", "u+w", root], check=True)
    return passed


def bootstrapped(cache: Path, names: list[str]) -> Path:
    """A root with the packages' files in apt's cache; made once."""
    base = cache / "base"
    if not base.exists():
        made = cache / "base.new"
        subprocess.run(["rm", "-rf", made], check=True)
        mirror = default_debian(DiskView()).uris[0]
        command = ["debootstrap", "--variant=minbase", SUITE, str(made), mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        made.rename(base)
    subprocess.run([*apt(base), "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    fetch: list[str] = [*apt(base), "install", "-qq", "--download-only", "--no-install-recommends", *names]
    subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
    return base


def apt_once(here: Path, base: Path, names: list[str]) -> float:
    """apt-get install in a copy of the root."""
    root = Path(tempfile.mkdtemp(dir=here)) / "root"
    subprocess.run(["cp", "-a", base, root], check=True)
    install = [*apt(root), "install", "-qq", "--no-download", "--no-install-recommends", *names]
    # What is still to be written of what was prepared is not what is timed.
    os.sync()
    began = time.monotonic()
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def apt(root: Path) -> list[str]:
    return ["env", "DEBIAN_FRONTEND=noninteractive", "chroot", str(root), "apt-get", "-y"]


def report(count: int, times: list[float]) -> None:
    ours, theirs = times
    rows = [("denizen run, first start", ours), (f"apt-get install of the same {count} packages", theirs)]
    print(table([("median", "s"), *((name, f"{seconds:.2f}") for name, seconds in rows)]))
    print(f"cold start: {theirs / ours:.1f} times as fast as apt-get install (claim: 3)")


if __name__ == "__main__":
    main()
