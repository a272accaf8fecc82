"""Building by programs beside nix-build: a no-op rebuild, an empty build, ten of them, a compilation, hello.

Both have their own store, and sandboxes that show /usr. nix-build evaluates an expression first, which
denizen does not; `nix-store --realise` of a .drv, which does not either, is shown too. The empty build's
overhead is its time less that of the no-op rebuild, which has all but the build. Times are of the clock and
of the processor: under load the first tells how long the disk's queue is, which denizen waits for and Nix
does not (it syncs its database and not the outputs).

Claims (issue 18): a no-op rebuild within nix-build's time, a build within 1.05 of it, an empty build's
overhead within 30 ms.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.support import Cost, cost, median_cost, table
from denizen.app.recipes.build_recipe import RecipeWriter, mirrors
from denizen.app.supply.store_access import made_store
from denizen.build.builtin_fetch import fetching
from denizen.build.derivation import seal
from denizen.build.realise import RealiseOptions, realise
from denizen.formats.storepath import NIX_STORE
from denizen.recipes.recipe import parse_recipe
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.transport import HttpSettings
from denizen.sources.url_opener import UrlOpener
from tests.support.command_context import context_of
from tests.support.nix import PrivateNix
from tests.support.nix_builds import SHOWN, TwoStores, sandbox_configuration
from tests.support.stores import make_store

CASES = tuple(os.environ.get("CASES", "empty chain compile hello").split())
RECIPES = Path(__file__).parent.parent / "examples/recipes"
ROUNDS = int(os.environ.get("ROUNDS", "9"))
# About a second of gcc, which is the same for both.
SOURCE = """
  for i in $(seq 40); do
    printf '#include <stdio.h>\\n#include <stdlib.h>\\nint f%d(int x){ return x + %d; }\\n' $i $i > f$i.c
    gcc -O2 -c f$i.c
  done
  echo 'int main(void){ return 0; }' > main.c
  gcc -O2 main.c f*.o -o $out
"""
EXPRESSION = """
let make = name: script: derivation {
  inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-e" "-c" script ]; PATH = "/bin";
};
in { empty = round: make "empty-${round}" ": > $out";
     chain = round: builtins.foldl' (below: n: make "chain-${toString n}-${round}" ": ${below}; : > $out")
       (make "chain-${round}" ": > $out") (builtins.genList (n: n) 10);
     compile = round: make "compile-${round}" ''SOURCE'';
     hello = round: make "hello-${round}" ''
       tar xf ${builtins.path { path = HELLO; name = "hello.tar.gz"; }}
       cd hello-*; ./configure --prefix=$out; make; make check; make install''; }
"""


def main() -> None:
    for program in ("nix-build", "gcc"):
        if shutil.which(program) is None:
            print(f"{program} is not installed; nothing is measured")
            return
    with tempfile.TemporaryDirectory(prefix="denizen-build-", ignore_cleanup_errors=True) as top:
        _measure(Path(top))
        subprocess.run(["chmod", "-R", "u+w", top], check=False)


def _measure(top: Path) -> None:
    nix = PrivateNix(top / "nix", sandbox_configuration())
    nix.root.mkdir()
    expression = top / "cases.nix"
    text = EXPRESSION.replace("SOURCE", SOURCE.replace("${", "''${"))
    expression.write_text(text.replace("HELLO", str(_hello(top))))
    two = TwoStores(nix, make_store(top / "root/data/store", NIX_STORE))
    rows = [("wall, processor", "denizen", "nix-build", "nix-store --realise", "denizen/nix-build")]
    medians: dict[str, tuple[Cost, ...]] = {}
    for case in CASES:
        medians[case], medians[f"{case} again"] = _case(two, expression, case)
    if "empty" in medians:
        pairs = zip(medians["empty"], medians["empty again"], strict=True)
        medians["overhead of an empty build"] = tuple((one[0] - no[0], one[1] - no[1]) for one, no in pairs)
    for name, (ours, theirs, plain) in medians.items():
        ratios = f"{ours[0] / theirs[0]:.2f}, {ours[1] / theirs[1]:.2f}"
        rows.append((name, _shown(ours), _shown(theirs), _shown(plain), ratios))
    print(table(rows))


def _shown(one: Cost) -> str:
    return f"{one[0] * 1e3:.0f}, {one[1] * 1e3:.0f} ms"


def _hello(top: Path) -> Path:
    """Return the archive of GNU hello's sources, fetched by its recipe's source."""
    recipe = parse_recipe((RECIPES / "hello/recipe.toml").read_bytes(), "recipe.toml")
    content = recipe.sources[0].content
    assert content is not None
    session = context_of(os.environ, str(top / "fetched")).session
    with made_store(session) as store, store.working() as work:
        writer = RecipeWriter(session, FetchPolicy(), store, work, {})
        fetch = writer.add(
            seal(
                fetching(mirrors(writer, recipe.sources[0].archive), content, store.layout.logical),
                "hello.tar.gz",
                {},
                store.layout.logical,
            )
        )
        made = realise(store, [fetch.path], RealiseOptions(UrlOpener(HttpSettings(), 1), 1))
        return Path(os.fsdecode(store.place_of(made[fetch.path].outputs[b"out"])))


def _case(two: TwoStores, expression: Path, case: str) -> tuple[tuple[Cost, ...], tuple[Cost, ...]]:
    """Return the medians of a build and of a no-op rebuild, of each of the three."""
    first: list[list[Cost]] = [[], [], []]
    again: list[list[Cost]] = [[], [], []]
    rounds = ROUNDS if case in ("empty", "chain") else max(3, ROUNDS // 3)
    for number in range(rounds):
        for place, command in enumerate(_commands(two, expression, case, f"{number}")):
            # In turns: a busy moment of the machine falls on all.
            first[place].append(cost(command))
            again[place].append(min(cost(command) for _ in range(3)))
    return tuple(map(median_cost, first)), tuple(map(median_cost, again))


def _commands(two: TwoStores, expression: Path, case: str, number: str) -> Sequence[Callable[[], object]]:
    """Return the commands that build a case never built before: denizen's and Nix's two."""
    by_denizen = _instantiated(two, expression, case, f"{number}-denizen")
    (path,) = two.bring([by_denizen])
    file = os.fsdecode(two.store.place_of(path))
    paths = [f"--sandbox-path={target}={source}" for target, source in SHOWN.items()]
    root = Path(os.fsdecode(two.store.layout.physical)).parent.parent
    denizen = [_denizen(), "realise", "-q", f"--root={root}", *paths, file]
    # Without .pyc files every start would pay the compiler.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    called = ["--expr", f'(import {expression}).{case} "{number}-nix"', "--no-out-link"]
    plain = _instantiated(two, expression, case, f"{number}-plain")
    return [
        lambda: _run(denizen, environment),
        lambda: _run(["nix-build", *called], two.nix.environment),
        lambda: _run(["nix-store", "--realise", plain], two.nix.environment),
    ]


def _denizen() -> str:
    return str(Path(sys.executable).parent / "denizen")


def _instantiated(two: TwoStores, expression: Path, case: str, name: str) -> str:
    called = f'(import {expression}).{case} "{name}"'
    return two.nix.lines("nix-instantiate", "--expr", called)[-1]


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
