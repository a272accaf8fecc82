"""Profiles beside Nix, apt-get and plain starts.

Installing: a package whose .deb is fetched already, by `denizen install` (unpacked, decided) and by `apt-get
install` without downloading, which needs root; and an object that is in the store already, by `denizen
install` and by `nix-env --install`.

Composing: 500 objects become one tree, as a derivation that is built: by `denizen realise` (builtin:union)
and by `nix-store --realise` (Nix's builtin:buildenv).

Changing: rollback by `denizen profile rollback` and `nix-env --rollback`; the list beside `python3 -c pass`.

Starting: an installed command by packages' libraries and in an environment, and the host's own like it.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.support import PYTHON_PASS, median_starts, table
from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import Ingredient
from denizen.build.builtin_union import UnionPart, uniting
from denizen.store.local import Store
from tests.support.nix import PrivateNix, private_nix
from tests.support.peers import require

ROUNDS = int(os.environ.get("ROUNDS", "5"))
OBJECTS = int(os.environ.get("OBJECTS", "500"))
# Small, of libraries alone; and an interpreter that needs its modules.
PACKAGE, SCRIPT = "hello", "perl"
_APT = ["apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0"]
_DENIZEN = str(Path(sys.executable).with_name("denizen"))


def main() -> None:
    """Print medians and ratios."""
    require("nix-env", "nix-store")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        here = Path(directory)
        nix = private_nix(here / "nix")
        print(table([("", "denizen", "peer", "ratio"), *installing(here, nix), *composing(here, nix)]))
        print(table([("", "ms", "of python"), *changing(here, nix)]))
        print(table([("start, ms", "plain", "installed", "more"), *starting(here)]))
        subprocess.run(["chmod", "-R", "u+w", here], check=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quietly([*_APT, "remove", PACKAGE])


def installing(here: Path, nix: PrivateNix) -> list[tuple[str, ...]]:
    """Rows about one installation."""
    root = here / "root"
    denizen(root, "install", PACKAGE)
    rows = []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quietly([*_APT, "install", "--download-only", PACKAGE])
        ours = best(lambda: denizen(root, "install", PACKAGE), lambda: emptied(root))
        theirs = best(
            lambda: quietly([*_APT, "install", PACKAGE]), lambda: quietly([*_APT, "remove", PACKAGE])
        )
        rows.append(row(f"install of one cached package ({PACKAGE}) | apt-get", ours, theirs))
    tree = made_tree(here / "tree", 0)
    our = denizen(root, "store", "add", tree).strip()
    their = nix.lines("nix-store", "--add", tree)[0]
    profile = here / "nix-profile"
    ours = best(
        lambda: denizen(root, "install", our, "--profile", "p"),
        lambda: denizen(root, "remove", Path(our).name[33:], "--profile", "p", check=False),
    )
    theirs = best(
        lambda: nix.run("nix-env", "--profile", profile, "--install", their),
        lambda: nix.run("nix-env", "--profile", profile, "--uninstall", ".*"),
    )
    return [*rows, row("install of an object of the store | nix-env", ours, theirs)]


def emptied(root: Path) -> None:
    """Take the package out of profile and store; its .deb stays in the cache."""
    denizen(root, "remove", PACKAGE, check=False)
    denizen(root, "profile", "delete-generations", "old")
    denizen(root, "gc", "-q")


def composing(here: Path, nix: PrivateNix) -> list[tuple[str, ...]]:
    """The row about a tree of many objects; each round builds it under another name."""
    trees = [made_tree(here / "many" / f"object{number}", number) for number in range(OBJECTS)]
    store = here / "root2" / "data" / "store"
    store.parent.mkdir(parents=True)
    ours: list[str] = []
    with Store.create(os.fsencode(store)) as made, made.working() as work:
        paths = [info.path for info in work.add_all([(os.fsencode(t), t.name) for t in trees])]
        union = uniting([UnionPart(Ingredient(path)) for path in paths], made.layout.logical)
        for number in range(ROUNDS):
            sealed = derivations.seal(union, f"profile-{number}", {}, made.layout.logical)
            work.add_text(sealed.path.name, sealed.content, sealed.references)
            ours.append(os.fsdecode(sealed.path.inside(os.fsencode(store))))
    objects = " ".join(f"(f {path})" for path in nix.lines("nix-store", "--add", *trees))
    theirs: list[str] = []
    for number in range(ROUNDS):
        (here / "env.nix").write_text(_NIX % (objects, number))
        theirs += nix.lines("nix-instantiate", here / "env.nix")
    times = [
        (
            seconds(partial(denizen, here / "root2", "realise", our)),
            seconds(partial(nix.run, "nix-store", "-r", their)),
        )
        for our, their in zip(ours, theirs, strict=True)
    ]
    medians = [statistics.median(some) for some in zip(*times, strict=True)]
    return [row(f"{OBJECTS} objects composed | nix-store, builtin:buildenv", *medians)]


# What nix-env itself evaluates (Nix, src/nix/nix-env/buildenv.nix).
_NIX = """
let f = p: builtins.storePath p;
    paths = [ %s ];
in derivation {
  name = "profile-%d"; system = "builtin"; builder = "builtin:buildenv";
  manifest = builtins.toFile "manifest" "";
  derivations = builtins.concatMap (p: [ "true" 5 1 p ]) paths;
}
"""


def changing(here: Path, nix: PrivateNix) -> list[tuple[str, ...]]:
    """Rows about rollback and list."""
    root, profile = here / "root", here / "nix-profile"
    current = os.readlink(root / "state/profiles/profile").split("-")[1]
    commands = {
        "python3 -c pass": PYTHON_PASS,
        "denizen list": (_DENIZEN, "--root", str(root), "list"),
        "denizen profile rollback": (_DENIZEN, "--root", str(root), "profile", "rollback", current),
        "nix-env --switch-generation": (
            "env", *(f"{key}={text}" for key, text in nix.environment.items()),
            "nix-env", "--quiet", "--profile", str(profile), "--switch-generation", "1",
        ),
    }  # fmt: skip
    times = median_starts(list(commands.values()))
    return [
        (name, f"{ms * 1e3:.1f}", f"{ms / times[0]:.2f}") for name, ms in zip(commands, times, strict=True)
    ]


def starting(here: Path) -> list[tuple[str, ...]]:
    """Rows about the start of an installed command and of the same file natively."""
    root = here / "root"
    denizen(root, "install", PACKAGE, SCRIPT)
    bin_ = root / "state" / "profiles" / "profile" / "bin"
    plain = shutil.which(PACKAGE) or "/bin/true"
    natively, by_loader = median_starts([(plain,), (str(bin_ / PACKAGE),)], repeats=200)
    perl, inside = median_starts([("perl", "-e", "0"), (str(bin_ / SCRIPT), "-e", "0")], repeats=100)
    return [
        (
            f"{PACKAGE}, by libraries ({plain})",
            *(f"{ms * 1e3:.2f}" for ms in (natively, by_loader, by_loader - natively)),
        ),
        (
            f"{SCRIPT} -e 0, in an environment",
            *(f"{ms * 1e3:.2f}" for ms in (perl, inside, inside - perl)),
        ),
    ]


def made_tree(top: Path, number: int) -> Path:
    """A small installed thing: commands, pages, a licence."""
    for name in (f"bin/tool{number}", f"share/man/man1/tool{number}.1", f"share/doc/tool{number}/copyright"):
        place = top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\necho {number} {name}\n")
        place.chmod(0o755 if name.startswith("bin") else 0o644)
    return top


def row(name: str, ours: float, theirs: float) -> tuple[str, ...]:
    return name, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.2f}"


def best(run: Callable[[], object], undo: Callable[[], object]) -> float:
    """The median time of a run, each after what undoes it."""
    times = []
    for _ in range(ROUNDS):
        undo()
        times.append(seconds(run))
    return statistics.median(times)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def denizen(root: Path, *words: str | Path, check: bool = True) -> str:
    command = [_DENIZEN, "--root", os.fspath(root), *(os.fspath(word) for word in words)]
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


def quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
