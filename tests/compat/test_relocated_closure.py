"""A closure that real Nix built for /nix/store, run from another directory."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.app.relocate.relocate_tree import RelocatedTree, TreeRequest, relocate_tree
from denizen.formats.storepath import NIX_STORE
from denizen.relocate.prefix import Prefix
from tests.support.build_sandboxes import require_sandbox
from tests.support.denizen_command import lines
from tests.support.nix import PrivateNix, private_nix
from tests.support.nix_builds import sandbox_configuration
from tests.support.peers import require

pytestmark = pytest.mark.peer
RECIPE = Path(__file__).with_name("relocatable.nix")


@pytest.fixture(scope="module")
def closure(tmp_path_factory: pytest.TempPathFactory) -> tuple[PrivateNix, str]:
    """The Nix that built the closure, and its top path."""
    require("gcc")
    if not os.path.exists("/lib64/ld-linux-x86-64.so.2"):
        pytest.skip("the recipe is for x86-64")
    require_sandbox()
    nix = private_nix(tmp_path_factory.mktemp("nix"), sandbox_configuration())
    (path,) = nix.lines("nix-store", "--realise", *nix.lines("nix-instantiate", RECIPE))
    return nix, path


@pytest.fixture(scope="module")
def built(closure: tuple[PrivateNix, str]) -> tuple[Path, str]:
    """The directory of the closure's objects, and the name of the top one."""
    nix, path = closure
    return nix.physical("/nix/store"), os.path.basename(path)


def relocated(tree: Path, old: bytes, new: bytes, **rest: bool) -> RelocatedTree:
    return relocate_tree(TreeRequest(os.fsencode(tree), Prefix(old, new), **rest))


def output(*command: Path) -> str:
    return subprocess.run(command, env={}, capture_output=True, text=True, check=True).stdout


def content(tree: Path) -> dict[str, bytes | str]:
    """Every file's bytes, every link's target."""
    found: dict[str, bytes | str] = {}
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@pytest.fixture(params=["longer", "shorter"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A directory that is not there yet, whose path is longer or shorter than /nix/store."""
    if request.param == "longer":
        yield tmp_path / "home" / ".local" / "share" / "denizen" / "store"
        return
    short = Path(f"/tmp/{secrets.token_hex(2)}")  # pytest's own directories have longer paths
    yield short
    # A store's directories are read-only.
    for directory, _, _ in os.walk(short):
        Path(directory).chmod(0o755)
    shutil.rmtree(short)


def test_it_runs_from_a_store_in_another_directory(built: tuple[Path, str], store: Path) -> None:
    objects, top = built
    shutil.copytree(objects, store, symlinks=True)
    before = content(store)
    done = relocated(store, NIX_STORE, os.fsencode(store))
    assert done.is_complete
    binaries = store / top / "bin"
    assert output(binaries / "program") == "hello from a library\n"
    assert output(binaries / "script").startswith("hello from a library\n#!")
    assert output(binaries / "wrapper") == "hello from a library\nhello from a file\n"
    libraries = subprocess.run(
        ["/lib64/ld-linux-x86-64.so.2", "--list", (binaries / "program").resolve()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(store) in libraries
    assert "not found" not in libraries
    relocated(store, os.fsencode(store), NIX_STORE)
    assert content(store) == before


def test_a_relative_tree_runs_wherever_it_is_moved(built: tuple[Path, str], tmp_path: Path) -> None:
    """Interpreters and #! lines have no relative form: the program is started by its own ld.so."""
    objects, top = built
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    shutil.copytree(objects, first, symlinks=True)
    relocated(first, NIX_STORE, os.fsencode(first), relative=True)
    second.parent.mkdir()
    first.rename(second)
    (linker,) = second.glob("*-libc/lib/ld-linux-x86-64.so.2")
    assert output(linker, second / top / "bin" / "program") == "hello from a library\n"


def test_an_import_from_a_cache_for_another_store_relocates_on_the_way_in(
    closure: tuple[PrivateNix, str], tmp_path: Path
) -> None:
    """The archives are what Nix signed; the objects are registered as they are here."""
    nix, path = closure
    secret, public = tmp_path / "secret", tmp_path / "public"
    nix.run("nix-store", "--generate-binary-cache-key", "here-1", secret, public)
    cache = tmp_path / "cache"
    nix.run("nix", "copy", "--to", f"file://{cache}?compression=none&secret-key={secret}", path)
    root = tmp_path / "root"
    added = lines(root, "store", "import", "--trust", public.read_text(), cache, path)
    top = Path(added[-1])
    assert top.name == os.path.basename(path)
    assert output(top / "bin" / "wrapper") == "hello from a library\nhello from a file\n"
    assert os.readlink(top / "bin" / "program").startswith("../../")
    assert lines(root, "store", "verify", "--contents") == []
    references = lines(root, "store", "references", top)
    assert len(references) == 2
    lines(root, "store", "move", tmp_path / "moved")
    assert lines(root, "store", "references", top.name) == [
        str(tmp_path / "moved" / Path(one).name) for one in references
    ]
    assert output(tmp_path / "moved" / top.name / "bin" / "wrapper").startswith("hello from a library")
