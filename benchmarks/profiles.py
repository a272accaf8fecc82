"""Profiles beside Nix, apt-get and plain starts, by the clock and by processor time.

Claims (issue 16), each with its row: one cached package within 0.5 of `apt-get install`, an object of the
store within `nix-env -i`, switch and rollback within 30 ms, 500 objects composed within Nix's builder, `list`
within 1.6 of `python3 -c pass`.

Installing: a package whose .deb is fetched already, by `denizen install` (unpacked, decided) and by `apt-get
install` without downloading, which needs root; and an object that is in the store already, by `denizen
install` and by `nix-env --install`.

Composing: 500 objects become one tree, as a derivation that is built: by `denizen realise` (builtin:union)
and by `nix-store --realise` (Nix's builtin:buildenv).

Changing: rollback and switch by `denizen profile` and `nix-env`; the list beside `python3 -c pass`.

Starting: an installed command by packages' libraries and in an environment, and the host's own like it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.support import PYTHON_PASS, Cost, cost, median_cost, median_starts, table
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
# What is measured, and what undoes it.
Pair = tuple[Callable[[], object], Callable[[], object]]
# Without .pyc files every start would pay the compiler.
_ENVIRONMENT = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    """Print medians and ratios."""
    require("nix-env", "nix-store")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        here = Path(directory)
        nix = private_nix(here / "nix")
        heads = ("wall, processor", "denizen", "peer", "ratio", "at most")
        rows = [*installing(here, nix), *composing(here, nix), *changing(here, nix)]
        print(table([heads, *rows]))
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
        both = in_turns(
            (lambda: denizen(root, "install", PACKAGE), lambda: emptied(root)),
            (lambda: quietly([*_APT, "install", PACKAGE]), lambda: quietly([*_APT, "remove", PACKAGE])),
        )
        rows.append(row(f"install of one cached package ({PACKAGE}) | apt-get", *both, "0.50"))
    tree = made_tree(here / "tree", 0)
    our = denizen(root, "store", "add", tree).strip()
    their = nix.lines("nix-store", "--add", tree)[0]
    profile = here / "nix-profile"
    both = in_turns(
        (
            lambda: denizen(root, "install", our, "--profile", "p"),
            lambda: denizen(root, "remove", Path(our).name[33:], "--profile", "p", check=False),
        ),
        (
            lambda: nix.run("nix-env", "--profile", profile, "--install", their),
            lambda: nix.run("nix-env", "--profile", profile, "--uninstall", ".*"),
        ),
    )
    return [*rows, row("install of an object of the store | nix-env", *both, "1.00")]


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
        union = uniting([UnionPart(Ingredient(path), 5) for path in paths], made.layout.logical)
        for number in range(ROUNDS):
            sealed = derivations.seal(union, f"profile-{number}", {}, made.layout.logical)
            work.add_text(sealed.path.name, sealed.content, sealed.references)
            ours.append(os.fsdecode(sealed.path.inside(os.fsencode(store))))
    objects = " ".join(f"(f {path})" for path in nix.lines("nix-store", "--add", *trees))
    theirs: list[str] = []
    for number in range(ROUNDS):
        (here / "env.nix").write_text(_NIX % (objects, number))
        theirs += nix.lines("nix-instantiate", here / "env.nix")
    costs = [
        (
            cost(partial(denizen, here / "root2", "realise", our)),
            cost(partial(nix.run, "nix-store", "-r", their)),
        )
        for our, their in zip(ours, theirs, strict=True)
    ]
    both = median_cost([one for one, _ in costs]), median_cost([one for _, one in costs])
    return [row(f"{OBJECTS} objects composed | nix-store, builtin:buildenv", *both, "1.00")]


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
    """Rows about rollback, switch and list."""
    root, profile = here / "root", here / "nix-profile"
    mine = root / "state/profiles/p"
    at = [int(os.readlink(mine).split("-")[-2]), int(os.readlink(profile).split("-")[-2])]

    def ours(*words: str) -> object:
        return denizen(root, "profile", *words, "--profile", "p")

    def theirs(*words: str) -> object:
        return nix.run("nix-env", "--quiet", "--profile", profile, *words)

    back = in_turns(
        (lambda: ours("rollback"), lambda: ours("switch", f"{at[0]}")),
        (lambda: theirs("--rollback"), lambda: theirs("--switch-generation", f"{at[1]}")),
        ROUNDS * 3,
    )
    forth = in_turns(
        (lambda: ours("switch", f"{at[0]}"), lambda: ours("rollback")),
        (lambda: theirs("--switch-generation", f"{at[1]}"), lambda: theirs("--rollback")),
        ROUNDS * 3,
    )
    python = in_turns(
        (lambda: denizen(root, "list"), lambda: None),
        (lambda: quietly(list(PYTHON_PASS)), lambda: None),
        ROUNDS * 6,
    )
    return [
        row("rollback | nix-env --rollback", *back, "30 ms"),
        row("switch | nix-env --switch-generation", *forth, "30 ms"),
        row("list | python3 -c pass", *python, "1.60"),
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


def row(name: str, ours: Cost, theirs: Cost, goal: str) -> tuple[str, ...]:
    ratios = ", ".join(f"{one / other:.2f}" for one, other in zip(ours, theirs, strict=True))
    return name, shown(ours), shown(theirs), ratios, goal


def shown(one: Cost) -> str:
    return f"{one[0] * 1e3:.0f}, {one[1] * 1e3:.0f} ms"


def in_turns(ours: Pair, theirs: Pair, rounds: int = ROUNDS) -> tuple[Cost, Cost]:
    """The median costs of two runs, each after what undoes it, in turns: a busy moment falls on both."""
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(rounds):
        for costs, (run, undo) in zip(found, (ours, theirs), strict=True):
            undo()
            costs.append(cost(run))
    return median_cost(found[0]), median_cost(found[1])


def denizen(root: Path, *words: str | Path, check: bool = True) -> str:
    command = [_DENIZEN, "--root", os.fspath(root), *(os.fspath(word) for word in words)]
    return subprocess.run(command, check=check, capture_output=True, text=True, env=_ENVIRONMENT).stdout


def quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, env=_ENVIRONMENT)
