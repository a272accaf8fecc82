"""Real Nix as judge of signatures and `.narinfo`: each side reads the binary cache the other wrote."""

import hashlib
from pathlib import Path

import pytest

from denizen.formats import narinfo, signature
from denizen.formats.file_tree import Directory
from denizen.formats.hashes import Hash
from denizen.formats.narinfo import NarInfo
from denizen.formats.signature import SecretKey
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.store.binary_cache import check_signed
from denizen.value import replace
from tests.support.generated_trees import file, nar
from tests.support.nix import PrivateNix, private_nix

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> PrivateNix:
    return private_nix(tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="module")
def key(nix: PrivateNix) -> SecretKey:
    """A key pair made by Nix."""
    secret, public = nix.root / "secret", nix.root / "public"
    nix.run("nix-store", "--generate-binary-cache-key", "test-cache-1", secret, public)
    pair = signature.parse_secret(secret.read_text())
    assert signature.parse_public(public.read_text()) == pair.public_key
    return pair


@pytest.fixture
def offered() -> tuple[NarInfo, bytes]:
    """A tree that no content address vouches for: only a signature does."""
    archive = nar(Directory(b""), file(b"run", b"#!/bin/sh\n", executable=True))
    path = StorePath("0" * 32, "offered")
    info = NarInfo(path, "nar/offered.nar", Hash("sha256", hashlib.sha256(archive).digest()), len(archive))
    return info, archive


def cache(directory: Path, info: NarInfo, archive: bytes) -> str:
    (directory / "nar").mkdir()
    (directory / "nix-cache-info").write_text("StoreDir: /nix/store\n")
    (directory / "nar" / "offered.nar").write_bytes(archive)
    uncompressed = replace(info, compression="none", file_hash=info.nar_hash, file_size=info.nar_size)
    (directory / f"{info.path.digest}.narinfo").write_bytes(narinfo.render(uncompressed, NIX_STORE))
    return f"file://{directory}"


def copy_from(nix: PrivateNix, url: str, key: SecretKey, path: StorePath) -> bytes:
    trusted = ("--option", "trusted-public-keys", str(key.public_key))
    return nix.run("nix", "copy", *trusted, "--from", url, path.inside(NIX_STORE).decode())


def test_nix_accepts_what_denizen_signs(
    nix: PrivateNix, key: SecretKey, offered: tuple[NarInfo, bytes], tmp_path: Path
) -> None:
    info, archive = offered
    copy_from(nix, cache(tmp_path, narinfo.sign(info, key, NIX_STORE), archive), key, info.path)
    assert nix.physical(info.path.inside(NIX_STORE) + b"/run").read_bytes() == b"#!/bin/sh\n"


def test_nix_refuses_the_same_without_the_signature(
    key: SecretKey, offered: tuple[NarInfo, bytes], tmp_path: Path
) -> None:
    info, archive = offered
    other = private_nix(tmp_path / "other")
    (tmp_path / "cache").mkdir()
    url = cache(tmp_path / "cache", info, archive)
    with pytest.raises(AssertionError, match="signature"):
        copy_from(other, url, key, info.path)


def test_denizen_reads_and_trusts_what_nix_writes(nix: PrivateNix, key: SecretKey, tmp_path: Path) -> None:
    source = tmp_path / "hello"
    source.write_bytes(b"hello")
    (full,) = nix.lines("nix-store", "--add", source)
    destination = f"file://{tmp_path}/cache?secret-key={nix.root}/secret"
    nix.run("nix", "copy", "--to", destination, full)
    (written,) = (tmp_path / "cache").glob("*.narinfo")
    info = narinfo.parse(written.read_bytes(), NIX_STORE)
    assert info.path.inside(NIX_STORE).decode() == full
    assert info.nar_hash.digest == hashlib.sha256(nar(file(b"", b"hello"))).digest()
    assert check_signed(info, [key.public_key], NIX_STORE) == key.public_key
    assert narinfo.render(info, NIX_STORE) == written.read_bytes()
