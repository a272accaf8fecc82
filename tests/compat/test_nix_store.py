"""Real Nix as judge of the store: dumps, hashes, paths, references, and what it accepts of ours."""

import io
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.formats import narinfo, signature, storepath
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.nar import reader
from denizen.store.binary_cache import export
from denizen.store.local import Store
from denizen.store.trees.restore import restore_new
from denizen.store.trees.tree_reader import entries
from tests.support.denizen_command import denizen, lines
from tests.support.nix import PrivateNix, private_nix
from tests.support.peers import require
from tests.support.stores import dumped

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> PrivateNix:
    return private_nix(tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty files and directories, executables, links, names that are not UTF-8."""
    top = tmp_path_factory.mktemp("odd") / "odd"
    (top / "empty").mkdir(parents=True)
    (top / "nothing").touch()
    (top / "run").write_bytes(b"#!/bin/sh\n")
    (top / "run").chmod(0o755)
    (top / "link").symlink_to("../outside")
    os.makedirs(os.fsencode(top) + b"/\xff\xfe/\x01\n")
    Path(os.fsdecode(os.fsencode(top) + b"/\xff\xfe/\x80")).write_bytes(b"bytes")
    return top


@pytest.fixture(params=["odd", "zoneinfo", "email", "terminfo", "gconv"])
def tree(request: pytest.FixtureRequest, odd: Path) -> Path:
    """Five real trees: ours, and four that any Debian with this Python has."""
    places = {
        "odd": odd,
        "zoneinfo": Path("/usr/share/zoneinfo"),
        "email": Path(sysconfig.get_path("stdlib")) / "email",
        "terminfo": Path("/usr/share/terminfo"),
        "gconv": Path("/usr/lib/x86_64-linux-gnu/gconv"),
    }
    if not places[request.param].is_dir():
        pytest.skip(f"{places[request.param]} is not on this machine")
    return places[request.param]


def test_dump_is_byte_for_byte_that_of_nix_store(nix: PrivateNix, tree: Path) -> None:
    assert dumped(tree) == nix.run("nix-store", "--dump", tree)


def test_nix_dumps_are_restored_to_the_same_tree(nix: PrivateNix, tree: Path, tmp_path: Path) -> None:
    nar = nix.run("nix-store", "--dump", tree)
    restore_new(reader.read(io.BytesIO(nar)), os.fsencode(tmp_path / "copy"))
    assert nix.run("nix-store", "--dump", tmp_path / "copy") == nar


def test_hash_is_that_of_nix_hash(nix: PrivateNix, tree: Path, tmp_path: Path) -> None:
    assert lines(tmp_path, "store", "hash", tree) == nix.lines("nix-hash", "--type", "sha256", tree)
    assert lines(tmp_path, "store", "hash", "--base32", tree) == nix.lines(
        "nix-hash", "--type", "sha256", "--base32", tree
    )


def test_the_commands_dump_and_restore_through_pipes(nix: PrivateNix, odd: Path, tmp_path: Path) -> None:
    nar = nix.run("nix-store", "--dump", odd)
    assert denizen(tmp_path, "store", "dump", odd).stdout == nar
    denizen(tmp_path, "store", "restore", tmp_path / "copy", stdin=nar)
    assert nix.run("nix-store", "--dump", tmp_path / "copy") == nar


@pytest.mark.slow
def test_a_sparse_file_of_two_gigabytes_dumps_as_in_nix(nix: PrivateNix, tmp_path: Path) -> None:
    require("bash", "cmp")
    big = tmp_path / "big"
    with big.open("wb") as stream:
        stream.seek(2 * 1024**3)
        stream.write(b"end")
    script = 'cmp <(nix-store --dump "$1") <("$2" -m denizen store dump "$1")'
    nix.run("bash", "-c", script, "bash", big, sys.executable)


def test_path_for_is_what_nix_store_adds(nix: PrivateNix, odd: Path, tmp_path: Path) -> None:
    (added,) = nix.lines("nix-store", "--add", odd)
    assert lines(tmp_path, "store", "path-for", "--store-dir", "/nix/store", odd) == [added]


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5", "sha512"])
@pytest.mark.parametrize("recursive", [(), ("--recursive",)], ids=["flat", "recursive"])
def test_path_for_a_fixed_output_is_what_nix_store_adds(
    nix: PrivateNix, odd: Path, tmp_path: Path, algorithm: str, recursive: tuple[str, ...]
) -> None:
    source = odd if recursive else odd / "run"
    (added,) = nix.lines("nix-store", *recursive, "--add-fixed", algorithm, source)
    asked = ("--fixed", algorithm, *recursive)
    assert lines(tmp_path, "store", "path-for", "--store-dir", "/nix/store", *asked, source) == [added]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A Nix store somewhere else, with objects that were built in it: (directory, environment)."""
    require("nix-build")
    top = tmp_path_factory.mktemp("built")
    environment = os.environ | {
        "NIX_STORE_DIR": f"{top}/store",
        "NIX_STATE_DIR": f"{top}/state",
        "NIX_LOG_DIR": f"{top}/log",
        "NIX_CONF_DIR": f"{top}/etc",
        "HOME": f"{top}/home",
        "NIX_REMOTE": "local",
        "NIX_CONFIG": "build-users-group =\nsandbox = false\nsubstituters =\n",
    }
    expression = Path(__file__).with_name("referring.nix")
    command = ["nix-build", "--no-out-link", "--quiet", str(expression)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    yield top / "store", environment
    subprocess.run(["chmod", "-R", "u+w", str(top)], check=True)


def test_references_are_those_nix_finds(built: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    directory, environment = built
    objects = sorted(p.name for p in directory.iterdir() if "-" in p.name and not p.name.endswith(".drv"))
    objects = [name for name in objects if not name.startswith(".")]
    paths = [storepath.from_base(name) for name in objects]
    found: dict[str, set[str]] = {}
    expected: dict[str, set[str]] = {}
    for path in paths:
        place = directory / path.base
        said = subprocess.check_output(["nix-store", "-q", "--references", place], env=environment)
        expected[path.base] = {os.path.basename(line) for line in said.decode().split()}
    with (
        Store.create(os.fsencode(tmp_path / "store"), os.fsencode(directory)) as store,
        store.working() as work,
    ):
        for path in _in_order(paths, expected):
            info = work.add_entries(entries(os.fsencode(directory / path.base)), path, paths)
            found[path.base] = {reference.base for reference in info.references}
    assert found == expected
    assert {len(references) for references in expected.values()} >= {0, 1, 2, 3}
    assert any(name in references for name, references in expected.items())


def _in_order(paths: list[StorePath], references: dict[str, set[str]]) -> list[StorePath]:
    """Each after what it references, which must be valid before."""
    done: list[StorePath] = []
    while len(done) < len(paths):
        ready = {path.base for path in done}
        done += [p for p in paths if p not in done and references[p.base] <= ready | {p.base}]
    return done


@pytest.fixture
def exported(nix: PrivateNix, odd: Path, tmp_path: Path) -> tuple[Path, Path, str, Path]:
    """(cache, secret key, public key, store path of an object) of a store that says it is /nix/store."""
    nix.run("nix-store", "--generate-binary-cache-key", "test-1", tmp_path / "secret", tmp_path / "public")
    key = signature.parse_secret((tmp_path / "secret").read_text())
    leaf = tmp_path / "leaf"
    with Store.create(os.fsencode(tmp_path / "store"), NIX_STORE) as store, store.working() as work:
        first = work.add(os.fsencode(odd), "odd")
        leaf.write_text(f"needs ../{first.path}/run")
        second = work.add(os.fsencode(leaf), "leaf")
        assert second.references == (first.path,)
        for path in store.closure([second.path]):
            export(store, store.info(path), os.fsencode(tmp_path / "cache"), key)
    return (
        tmp_path / "cache",
        tmp_path / "secret",
        (tmp_path / "public").read_text(),
        Path(os.fsdecode(second.path.inside(NIX_STORE))),
    )


def _copy(nix: PrivateNix, cache: Path, key: str, path: Path) -> "subprocess.CompletedProcess[bytes]":
    command = ["nix", "copy", "--from", f"file://{cache}", "--option", "trusted-public-keys", key, str(path)]
    return subprocess.run(command, env=nix.environment, capture_output=True, check=False)


def test_nix_copies_from_what_was_exported_and_signed(
    nix: PrivateNix, exported: tuple[Path, Path, str, Path]
) -> None:
    cache, _, public, path = exported
    done = _copy(nix, cache, public, path)
    assert done.returncode == 0, done.stderr.decode()
    assert nix.physical(str(path)).read_text().startswith("needs ../")
    (reference,) = nix.lines("nix-store", "-q", "--references", path)
    nix.run("nix-store", "--verify-path", path, reference)
    told = json.loads(nix.run("nix", "path-info", "--json", "--sigs", path))
    assert told[0]["signatures"][0].startswith("test-1:")


def test_nix_refuses_it_without_the_key(exported: tuple[Path, Path, str, Path], tmp_path: Path) -> None:
    cache, _, _, path = exported
    other = PrivateNix(tmp_path / "other")
    other.root.mkdir()
    done = _copy(other, cache, "test-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", path)
    assert done.returncode != 0
    assert b"signature" in done.stderr


def test_what_nix_exported_and_signed_is_imported(nix: PrivateNix, odd: Path, tmp_path: Path) -> None:
    nix.run("nix-store", "--generate-binary-cache-key", "n-1", tmp_path / "secret", tmp_path / "public")
    (added,) = nix.lines("nix-store", "--add", odd)
    nix.run("nix", "store", "sign", "--key-file", tmp_path / "secret", added)
    nix.run("nix", "copy", "--to", f"file://{tmp_path}/cache?compression=none", added)
    public = (tmp_path / "public").read_text()
    Store.create(os.fsencode(tmp_path / "root/data/store"), NIX_STORE).close()
    (ours,) = lines(
        tmp_path / "root", "store", "import", "--trust", public, tmp_path / "cache", os.path.basename(added)
    )
    assert dumped(Path(ours)) == nix.run("nix-store", "--dump", odd)
    place = tmp_path / "cache" / f"{os.path.basename(added)[:32]}.narinfo"
    told = narinfo.parse(place.read_bytes(), NIX_STORE)
    assert told.path.base == os.path.basename(ours)
