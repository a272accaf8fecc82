"""A Python under a prefix of its own, as NixOS's is: interpreter, libraries and dynamic linker.

Made once from the Python that runs the tests and kept in the tests' cache. Its files name `PREFIX`, where
a host has it mounted; it starts nowhere else.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution, version
from pathlib import Path

from tests.support.kept_files import kept_by_tests
from tests.support.peers import require

PREFIX = "/denizen-python"
SOURCES = "/denizen-sources"
# What `denizen` imports beside the standard library; the compiled accelerators stay away on purpose, but for
# a verifier of signatures: such a host has no gpgv.
_DISTRIBUTIONS = ("urllib3", "rich", "pygments", "markdown-it-py", "mdurl", "pysequoia")
_LEFT_OUT = ("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "site-packages")
_LINKER = "ld-linux-x86-64.so.2"
_LISTED = re.compile(r"(?:=> )?(/\S+) \(0x")
# Another one where the tree is made otherwise: it is kept.
_LAYOUT = "2"
_LAUNCHER = f"""#!{PREFIX}/bin/python3
import sys
from denizen.cli.main import main
sys.exit(main())
"""


def python_prefix() -> Path:
    """Return the tree to mount at PREFIX, made at the first call."""
    require("patchelf", "ldd")
    versions = [sys.version, *(f"{name} {version(name)}" for name in _DISTRIBUTIONS), _LAUNCHER, _LAYOUT]
    key = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]
    target = kept_by_tests() / f"python-{key}"
    with open(kept_by_tests() / "python.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            unfinished = target.with_suffix(".tmp")
            shutil.rmtree(unfinished, ignore_errors=True)
            _make(unfinished)
            unfinished.rename(target)
    return target


def _make(prefix: Path) -> None:
    standard = Path(sysconfig.get_path("stdlib"))
    modules = prefix / "lib" / standard.name
    shutil.copytree(standard, modules, ignore=shutil.ignore_patterns(*_LEFT_OUT, "config-*", "*.a"))
    (prefix / "bin").mkdir()
    python = prefix / "bin" / "python3"
    shutil.copy(os.path.realpath(sys.executable), python)
    site = modules / "site-packages"
    # By this name Debian's own Python looks for them, and not by the other.
    debian = prefix / "lib" / "python3" / "dist-packages"
    debian.parent.mkdir()
    debian.symlink_to(f"../{standard.name}/site-packages")
    for name in _DISTRIBUTIONS:
        _copy_distribution(name, site)
    (site / "denizen.pth").write_text(f"{SOURCES}\n")
    _copy_libraries(prefix, [python, *modules.rglob("*.so")])
    # DT_RPATH, not DT_RUNPATH: what libraries and modules need is found by it too, where they have none.
    linker = f"{PREFIX}/lib/{_LINKER}"
    objects = [file for file in prefix.rglob("*.so*") if file.name != _LINKER]
    subprocess.run(["patchelf", "--remove-rpath", *objects], check=True)
    patch = ["patchelf", "--set-interpreter", linker, "--force-rpath", "--set-rpath", f"{PREFIX}/lib"]
    subprocess.run([*patch, python], check=True)
    launcher = prefix / "bin" / "denizen"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)


def _copy_distribution(name: str, site: Path) -> None:
    for file in distribution(name).files or ():
        source, target = Path(str(file.locate())), site / file
        if source.is_file() and ".." not in file.parts and source.suffix != ".pyc":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _copy_libraries(prefix: Path, objects: list[Path]) -> None:
    """Copy the libraries that this machine's dynamic linker lists; libgcc_s besides, which pthreads open."""
    done = subprocess.run(["ldd", *objects], capture_output=True, text=True, check=False)
    found = set(_LISTED.findall(done.stdout))
    gcc = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    found |= set(re.findall(r"libgcc_s\.so\.1 .*x86-64.* => (\S+)", gcc))
    for path in found:
        shutil.copy(os.path.realpath(path), prefix / "lib" / os.path.basename(path))
