#!/usr/bin/env python3
"""`make single-file`: denizen as one static file with Python inside, bundled by denizen itself.

    tools/single_file.py [--root DIR] [--suite NAME] [--level N] [-o FILE]

A tree is made of Debian's Python (interpreter and standard library, compiled), this source tree's denizen
with its compiled parts, the Python packages that it uses, and Debian's certificates. `denizen bundle`
makes it one file. Debian's packages have the index's versions, Python packages those of this environment.
"""

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from denizen.app.bundles.bundle_program import bundle_program
from denizen.app.bundles.bundle_request import BundleRequest
from denizen.app.bundles.program_closure import ClosureRequest
from denizen.app.denizen_command import LAUNCHER_NOTE
from denizen.app.profiles.debian_element import DebianChooser
from denizen.app.session import Session
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.cli.command import OutputReporter
from denizen.cli.output import Output
from denizen.cli.views.bundle_view import lines
from denizen.disk_view import RootedView
from denizen.launch.bundle_layout import IGNORED_SIGNALS
from denizen.launch.resources.certificates import authorities
from denizen.resolve.installation.install import unpacked
from denizen.resolve.resolution import pin_of
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.tls_authorities import SHIPPED

REPOSITORY = Path(__file__).parent.parent
# What denizen imports beside the standard library: pyproject.toml's dependencies, and of the extras zstd,
# openpgp, and the accelerator of gunzip. rich imports pygments and markdown-it only for what denizen does
# not draw.
DISTRIBUTIONS = ("urllib3", "rich", "backports.zstd", "pysequoia", "isal")
_PACKAGES = ("python3-minimal", "ca-certificates")
_LEFT_OUT = (
    *("test", "tests", "idlelib", "tkinter", "turtle.py", "turtledemo", "ensurepip", "lib2to3", "pydoc_data"),
    *("venv", "config-*", "_sysconfigdata*", "EXTERNALLY-MANAGED", "__pycache__", "sitecustomize.py"),
    # Extension modules for terminals, dbm and Python's own tests, with libraries that nothing else needs.
    *("_test*.so", "xx*.so", "_xx*.so", "readline.*.so", "_curses*.so", "curses", "_dbm.*.so", "_gdbm.*.so"),
)
_APP = Path("lib", "denizen")


def main() -> int:
    arguments = _arguments()
    session = Session(
        os.environ, arguments.root, OutputReporter(Output(sys.stdout, sys.stderr), lambda: None)
    )
    with tempfile.TemporaryDirectory(prefix="denizen-single-") as directory:
        tree = Path(directory, "tree")
        python = make_tree(session, tree, arguments.suite)
        compile_modules(session, python, tree)
        settle_times(tree)
        request = BundleRequest(
            ClosureRequest(os.fsencode(python), (os.fsencode(tree),), arguments.suite),
            os.fsencode(arguments.output),
            tree=os.fsencode(tree),
            level=arguments.level,
            arguments=(
                b"-I",
                b"-S",
                os.fsencode(tree / _APP / "denizen/cli/single_file.py"),
                IGNORED_SIGNALS,
            ),
            children=False,
            beside=b"denizen",
        )
        for line in lines(bundle_program(session, request)):
            print(line)
    return 0


def make_tree(session: Session, tree: Path, suites: tuple[str, ...]) -> Path:
    """Make the tree; return its interpreter."""
    trees = python_packages(session, suites)
    (binary,) = [one for place in trees for one in place.glob("usr/bin/python3.*") if not one.is_symlink()]
    (tree / "bin").mkdir(parents=True)
    python = Path(shutil.copy(binary, tree / "bin"))
    for place in trees:
        for standard in place.glob("usr/lib/python3.*"):
            ignored = shutil.ignore_patterns(*_LEFT_OUT)
            shutil.copytree(standard, tree / "lib" / standard.name, ignore=ignored, dirs_exist_ok=True)
            # As in the store, nobody but root could add the next package's files.
            subprocess.run(["chmod", "-R", "u+w", tree / "lib"], check=True)
    app = tree / _APP
    shutil.copytree(
        REPOSITORY / "src" / "denizen", app / "denizen", ignore=shutil.ignore_patterns("__pycache__")
    )
    # bundle/program/lib/denizen; the launcher lies beside `bundle`.
    (app / LAUNCHER_NOTE).write_text("../../../../denizen")
    certificates = authorities(RootedView(b"/"), [os.fsencode(place) for place in trees])
    (app / "denizen" / "sources" / os.path.basename(SHIPPED)).write_bytes(certificates)
    bring_distributions(app, python.name.removeprefix("python"))
    subprocess.run(["chmod", "-R", "u+w,go=rX", tree], check=True)
    return python


def python_packages(session: Session, suites: tuple[str, ...]) -> list[Path]:
    """Return the unpacked packages of Debian's Python and of its certificates."""
    policy = FetchPolicy()
    chooser = DebianChooser(session, suites, policy)
    members = [one.package for word in _PACKAGES for one in chooser.chosen(word).closure]
    members += [one.package for one in chooser.chosen("libpython3-stdlib").closure]
    wanted = [one for one in dict.fromkeys(members) if one.package == b"ca-certificates" or _is_python(one)]
    with made_store(session) as store, store.working() as work:
        supply = supply_of(session, policy)
        found = [unpacked(store, work, pin_of(one, {}), supply) for one in wanted]
        return [Path(os.fsdecode(store.place_of(one))) for one in found]


def _is_python(one: object) -> bool:
    source = getattr(one, "source_package", b"") or getattr(one, "package", b"")
    return source.startswith(b"python3.")


def bring_distributions(app: Path, version: str) -> None:
    """Put the Python packages beside denizen, in the versions of this environment, for that Python."""
    exact = [f"{name}=={importlib.metadata.version(name)}" for name in DISTRIBUTIONS]
    machine = sysconfig.get_platform().removeprefix("linux-").replace("-", "_")
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in (34, 28, 17)]
    platforms.append(f"--platform=manylinux2014_{machine}")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
    ]
    chosen = [f"--python-version={version}", "--implementation=cp", *platforms, f"--target={app}"]
    subprocess.run([*command, *chosen, *exact], check=True)
    for place in (app / "bin", *app.glob("*.dist-info/RECORD")):
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)


def compile_modules(session: Session, python: Path, tree: Path) -> None:
    """Compile all modules by that Python, whatever the times of their files, and remove their sources.

    denizen's own stay: for tracebacks, and for cli/module_cache.py, which goes by their times.
    """
    app = tree / _APP
    brought = [one for one in app.iterdir() if one.is_dir() and one.name != "denizen"]
    alone = [*tree.glob("lib/python3.*"), *brought]
    hashed = [
        "-I",
        "-S",
        "-B",
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(tree),
    ]
    environment = {**session.environ, "PYTHONHASHSEED": "0"}
    run = [sys.executable, "-m", "denizen", *(["--root", session.root] if session.root else []), "run"]
    for words in (["-b", *alone], [app / "denizen"]):
        subprocess.run([*run, "--hermetic", python, *hashed, *words], check=True, env=environment)
    for source in [file for place in alone for file in place.rglob("*.py")]:
        source.unlink()


def settle_times(tree: Path) -> None:
    """Give all files one time: a bundle keeps those of a tree, and the same is to give the same bytes."""
    for place, _, names in os.walk(tree):
        for name in names:
            os.utime(os.path.join(place, name), (1, 1), follow_symlinks=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", default="build/denizen", help="the file to make")
    parser.add_argument("--root", default=os.environ.get("DENIZEN_ROOT"), help="denizen's directories")
    parser.add_argument("--suite", nargs="*", default=(), help="of Debian's packages; else the base suite")
    parser.add_argument("--level", type=int, default=19, help="of compression, 1 to 22")
    found = parser.parse_args()
    found.suite = tuple(found.suite)
    Path(found.output).absolute().parent.mkdir(parents=True, exist_ok=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
