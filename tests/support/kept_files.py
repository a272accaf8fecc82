"""Files that take long to make, each kept in the tests' cache under a digest of what it is made from.

Who needs one first makes it, others wait meanwhile: the workers of one run share them, and so do later runs.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from denizen.app.paths import paths_of

_LOCK = ".lock"


def kept_by_tests() -> Path:
    """Return the directory of the tests' cache, for things that take long to make or fetch."""
    made = Path(os.fsdecode(paths_of(None, os.environ).cache)).with_name("denizen-tests")
    made.mkdir(parents=True, exist_ok=True)
    return made


def kept(kind: str, digest: str, make: Callable[[Path], Path], *, most: int) -> Path:
    """Return a file of this kind; where it is not there, `make` makes it in a directory and returns its path.

    `digest` is of all that decides what the file holds. The `most` files used last are kept.
    """
    directory = kept_by_tests() / kind
    directory.mkdir(exist_ok=True)
    target = directory / digest
    # One lock for many files: locks are never removed, and so are few.
    with (directory / f"{digest[0]}{_LOCK}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=directory) as unfinished:
                make(Path(unfinished)).rename(target)
            _forget_all_but(directory, most)
        os.utime(target)
    return target


def _forget_all_but(directory: Path, most: int) -> None:
    """Remove the files that were not used for the longest time."""
    files = [
        Path(one.path) for one in os.scandir(directory) if one.is_file() and not one.name.endswith(_LOCK)
    ]
    for path in sorted(files, key=lambda one: one.stat().st_mtime)[:-most]:
        path.unlink(missing_ok=True)


def digest_of(directory: Path, files: Iterable[Path], *words: str) -> str:
    """Return the digest of files, which are named as below the directory, and of words."""
    found = hashlib.sha256("\0".join(words).encode())
    for file in sorted(files):
        content = file.read_bytes()
        found.update(f"\0{file.relative_to(directory)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:32]


@cache
def compiler_version(compiler: str) -> str:
    """Return what tells this compiler from another one, and from itself before an update."""
    program = os.path.realpath(shutil.which(compiler) or compiler)
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return f"{program} {os.stat(program).st_mtime_ns} {said}"
