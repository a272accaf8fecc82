"""A derivation whose tree is shown at the root, as a recipe's is: Nix builds it if told to show the same."""

import os
import shutil
from pathlib import Path

import pytest

from denizen.formats import storepath
from denizen.formats.storepath import NIX_STORE
from tests.support.build_sandboxes import require_sandbox
from tests.support.nix import private_nix
from tests.support.nix_builds import TwoStores
from tests.support.peers import require
from tests.support.stores import make_store

pytestmark = pytest.mark.peer

EXPRESSION = """
derivation {
  name = "inside"; system = "%s"; builder = "/bin/sh"; __denizenRoot = "${builtins.storePath %s}";
  args = [ "-e" "-c" "busybox mkdir $out; echo $0 $PWD > $out/said; cat /usr/share/word > $out/word" ];
  PATH = "/usr/bin";
}
"""


def test_nix_builds_it_where_its_sandbox_shows_the_tree(tmp_path: Path) -> None:
    require_sandbox()
    require("busybox")
    nix = private_nix(tmp_path / "nix", "sandbox = true\nsandbox-paths =\n")
    commands = tmp_path / "tree" / "usr" / "bin"
    commands.mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "", commands / "busybox")
    for name in ("sh", "cat"):
        (commands / name).symlink_to("busybox")
    (tmp_path / "tree" / "packages").write_text("")
    (tmp_path / "tree" / "usr" / "share").mkdir()
    (tmp_path / "tree" / "usr" / "share" / "word").write_text("word\n")
    (tree,) = nix.lines("nix-store", "--add", tmp_path / "tree")
    (tmp_path / "inside.nix").write_text(EXPRESSION % (f"{os.uname().machine}-linux", tree))
    (drv,) = nix.lines("nix-instantiate", tmp_path / "inside.nix")
    place = nix.physical(tree)
    shown = f"/usr={place}/usr /bin={place}/usr/bin"
    nix.run("nix-store", "--realise", drv, "--option", "sandbox-paths", shown)
    two = TwoStores(nix, make_store(tmp_path / "ours" / "store", NIX_STORE))
    ((output,),) = [made.values() for made in two.realise(two.bring([drv]), paths=()).values()]
    assert two.archive_here(output) == two.archive_by_nix(output)
    said = Path(os.fsdecode(two.store.place_of(output))) / "said"
    assert said.read_text() == "sh /build\n"
    assert storepath.parse(output.inside(NIX_STORE), NIX_STORE) == output
