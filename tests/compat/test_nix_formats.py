"""Real Nix as judge of the formats: archives, hashes, store paths and derivations."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from denizen.build import derivation
from denizen.formats import aterm, aterm_parser, storepath
from denizen.formats.file_tree import Entry
from denizen.formats.hashes import Hash
from denizen.formats.storepath import NIX_STORE, Method, StorePath
from denizen.nar import reader, writer
from tests.support.generated_trees import entries_on_disk
from tests.support.nix import PrivateNix, private_nix

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> PrivateNix:
    return private_nix(tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of everything a NAR can hold."""
    top = tmp_path_factory.mktemp("tree") / "everything"
    for directory in ("empty", "a", "a/deep/er", "z"):
        (top / directory).mkdir(parents=True)
    (top / "a" / "empty").touch()
    for size in range(17):
        (top / "z" / f"file{size}").write_bytes(b"x" * size)
    (top / "run").write_bytes(b"#!/bin/sh\n")
    (top / "run").chmod(0o755)
    # Only the owner's execute bit counts.
    (top / "group-only").write_bytes(b"")
    (top / "group-only").chmod(0o670)
    (top / "link").symlink_to("a/deep")
    (top / "dangling").symlink_to("/no/where")
    Path(os.fsdecode(os.fsencode(top) + b"/\xff\xfe not UTF-8")).write_bytes(b"\0")
    # Sorting is by bytes: these three differ between locale, byte and component order.
    (top / "a-b").touch()
    (top / "a.b").touch()
    (top / "B").touch()
    (top / "long").write_bytes(bytes(1_000_003))
    return top


def archive(entries: list[Entry]) -> bytes:
    return b"".join(bytes(piece) for piece in writer.write(entries))


def test_an_archive_is_byte_for_byte_what_nix_store_dumps(nix: PrivateNix, tree: Path) -> None:
    assert archive(entries_on_disk(tree)) == nix.run("nix-store", "--dump", tree)


@pytest.mark.parametrize("name", ["run", "group-only", "a/empty", "link", "long"])
def test_an_archive_of_a_single_file_or_link_is_too(nix: PrivateNix, tree: Path, name: str) -> None:
    assert archive(entries_on_disk(tree / name)) == nix.run("nix-store", "--dump", tree / name)


def test_what_nix_dumps_is_read_and_written_back(nix: PrivateNix, tree: Path) -> None:
    dumped = nix.run("nix-store", "--dump", tree)
    assert b"".join(bytes(piece) for piece in writer.write(reader.read(io.BytesIO(dumped)))) == dumped


def test_hashes_are_nix_hashes_in_each_form(nix: PrivateNix, tree: Path) -> None:
    value = Hash("sha256", hashlib.sha256(archive(entries_on_disk(tree))).digest())
    assert nix.lines("nix-hash", "--type", "sha256", tree) == [value.hex]
    assert nix.lines("nix-hash", "--type", "sha256", "--base32", tree) == [value.base32]
    assert nix.lines("nix", "hash", "path", "--sri", tree) == [value.sri]


def full(path: StorePath) -> str:
    return path.inside(NIX_STORE).decode()


def test_an_added_tree_gets_the_computed_path(nix: PrivateNix, tree: Path) -> None:
    value = Hash("sha256", hashlib.sha256(archive(entries_on_disk(tree))).digest())
    assert nix.lines("nix-store", "--add", tree) == [
        full(storepath.for_source(tree.name, value, (), NIX_STORE))
    ]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("method", list(Method))
def test_fixed_content_gets_the_computed_path(
    nix: PrivateNix, tree: Path, algorithm: str, method: Method
) -> None:
    file = tree / "long"
    content = file.read_bytes() if method is Method.FLAT else archive(entries_on_disk(file))
    value = Hash(algorithm, hashlib.new(algorithm, content).digest())
    option = ["--recursive"] if method is Method.RECURSIVE else []
    assert nix.lines("nix-store", "--add-fixed", *option, algorithm, file) == [
        full(storepath.for_fixed("long", method, value, NIX_STORE))
    ]


NAMES = [
    "a",
    "A+-._?=0",
    "x" * 211,
    "x" * 212,
    "",
    "a/b",
    "a b",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    "a:b",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_accepted_and_refused_as_nix_does(nix: PrivateNix, name: str) -> None:
    try:
        ours = full(storepath.for_text(name, b"x", (), NIX_STORE))
    except storepath.BadObjectName:
        ours = "refused"
    expression = f'builtins.toFile (builtins.fromJSON {nix_string(json_string(name))}) "x"'
    try:
        theirs = nix.run("nix-instantiate", "--eval", "--expr", expression).decode().strip().strip('"')
    except AssertionError:
        theirs = "refused"
    assert ours == theirs


def json_string(text: str) -> str:
    return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'


def nix_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def drvs(nix: PrivateNix) -> dict[StorePath, bytes]:
    """Every .drv that nix-instantiate writes for derivations.nix, and those they need."""
    nix.lines("nix-instantiate", Path(__file__).parent / "derivations.nix")
    found = nix.physical("/nix/store").glob("*.drv")
    return {storepath.from_base(path.name): path.read_bytes() for path in found}


def test_there_are_derivations_enough(drvs: dict[StorePath, bytes]) -> None:
    assert len(drvs) >= 30


def test_derivations_print_back_as_nix_wrote_them(drvs: dict[StorePath, bytes]) -> None:
    for path, content in drvs.items():
        assert aterm.render(aterm_parser.parse(content)) == content, path


def test_derivation_and_output_paths_are_those_nix_computed(drvs: dict[StorePath, bytes]) -> None:
    # `examine` computes both from the text and raises when the file says otherwise.
    sealed = derivation.examine(drvs, lambda path: aterm_parser.parse(drvs[path]), NIX_STORE)
    assert sealed.keys() == drvs.keys()
    for path, one in sealed.items():
        says = {name: output.path for name, output in aterm_parser.parse(drvs[path]).outputs.items()}
        assert {name: output.inside(NIX_STORE) for name, output in one.outputs.items()} == says


def test_sealing_the_blank_recipe_gives_the_derivation_nix_wrote(drvs: dict[StorePath, bytes]) -> None:
    modulos: derivation.Modulos = {}
    for path, one in derivation.examine(drvs, lambda path: aterm_parser.parse(drvs[path]), NIX_STORE).items():
        blank = derivation.blanked(one.derivation)
        again = derivation.seal(blank, derivation.name_of(path), modulos, NIX_STORE)
        assert (again.path, again.content) == (path, drvs[path])


def test_references_of_derivation_files_are_those_nix_registered(
    nix: PrivateNix, drvs: dict[StorePath, bytes]
) -> None:
    sealed = derivation.examine(drvs, lambda path: aterm_parser.parse(drvs[path]), NIX_STORE)
    for path, one in sealed.items():
        theirs = nix.lines("nix-store", "--query", "--references", full(path))
        assert sorted(theirs) == [full(reference) for reference in one.references]
