"""Closures compared, and dependencies explained, by real Nix and by denizen."""

import re
from pathlib import Path

from denizen.cli.views.closure_view import change_line
from denizen.formats import storepath
from denizen.formats.storepath import NIX_STORE
from denizen.store.closure_difference import closure_difference
from denizen.store.reference_offsets import dependency_chain
from tests.support.nix import private_nix
from tests.support.nix_builds import TwoStores
from tests.support.stores import make_store

# Files with references, which take no build: a package that changes, grows, comes, goes, or has no version.
EXPRESSION = """
let
  text = name: size: inputs: builtins.toFile name
    (toString inputs + builtins.concatStringsSep "" (builtins.genList (n: "0123456789abcdef") size));
  common = text "zlib-1.2" 1 [];
in map (one: text "app-env" 1 (one ++ [ common ])) [
  [ (text "lib-1.0" 1 []) (text "gone-3" 9 []) (text "grown-1.0" 1 []) ]
  [ (text "lib-1.1-dev" 2000 []) (text "came" 1000 []) (text "grown-1.0" 4000 [ common ]) ]
]
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_closures_differ_as_nix_says(tmp_path: Path) -> None:
    nix = private_nix(tmp_path / "nix")
    two = TwoStores(nix, make_store(tmp_path / "root/data/store", NIX_STORE))
    expression = tmp_path / "closures.nix"
    expression.write_text(EXPRESSION)
    shown = nix.lines("nix-instantiate", "--eval", "--strict", "--read-write-mode", expression)
    old, new = re.findall(r"/nix/store/[^\"]+", " ".join(shown))
    theirs = [COLOUR.sub("", line) for line in nix.lines("nix", "store", "diff-closures", old, new)]
    before, after = two.bring([old, new])
    infos = [[two.store.info(path) for path in two.store.closure([top])] for top in (before, after)]
    ours = [change_line(one) for one in closure_difference(*infos)]
    # Nix passes over sizes below 8 KiB beside a change of version.
    assert [re.sub(r", [+-](\d+ B|[0-7]\.\d KiB)$", "", line) for line in ours] == theirs
    assert len(theirs) == 4
    # Nix names each step and the file by which it depends on the next.
    (common,) = [info.path for info in infos[0] if info.path.name == "zlib-1.2"]
    chain = [step.path.inside(NIX_STORE).decode() for step in dependency_chain(two.store, after, common)]
    asked = (new, storepath.from_base(common.base).inside(NIX_STORE).decode())
    said = COLOUR.sub("", nix.run("nix", "why-depends", *asked).decode())
    assert re.findall(r"/nix/store/[\w.+-]+", said) == chain
