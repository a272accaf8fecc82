"""Peers that tests name are installed by `make tools` on a machine that has none of them."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.support.peers import PACKAGES

ROOT = Path(__file__).parent.parent
# What README asks of a machine, and what each Debian has: priority required or essential, and apt.
ALWAYS = {"apt", "bash", "coreutils", "diffutils", "dpkg", "gcc", "libc-bin", "mount", "util-linux"}


@cache
def _named_peers() -> frozenset[tuple[str, str]]:
    """Return each peer that a test or benchmark names in a call of `require`, and the file."""
    found = set()
    for path in (one for folder in ("tests", "benchmarks") for one in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
                words = [word.value for word in node.args if isinstance(word, ast.Constant)]
                found |= {(str(word), str(path.relative_to(ROOT))) for word in words}
    return frozenset(found)


def test_each_peer_is_of_a_package_that_is_installed() -> None:
    installed = set(re.findall(r"[a-z0-9][a-z0-9+.-]+", (ROOT / "tools/install_test_tools").read_text()))
    assert len(_named_peers()) > 50
    assert not {one for one in _named_peers() if one[0] not in PACKAGES}
    assert not {package for package in PACKAGES.values() if package not in installed | ALWAYS}


def test_no_package_stands_for_a_peer_that_nobody_names() -> None:
    assert not PACKAGES.keys() - {peer for peer, _ in _named_peers()}
