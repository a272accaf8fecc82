"""dpkg-deb as judge of unpacking: what it packs is read, and the tree is the one it unpacks."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.formats.deb import Deb
from denizen.formats.file_tree import Directory, Entry, File, HardLink, Symlink
from tests.support.generated_trees import entries_on_disk
from tests.support.peers import require

pytestmark = pytest.mark.peer
CONTROL = (
    "Package: test\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@localhost>\nDescription: x\n"
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("package") / "test"
    for directory in ("DEBIAN", "usr/bin", "usr/share/empty", "etc", f"usr/{'long-name/' * 25}end"):
        (top / directory).mkdir(parents=True)
    (top / "DEBIAN" / "control").write_text(CONTROL)
    (top / "DEBIAN" / "postinst").write_text("#!/bin/sh\nexit 1\n")
    (top / "DEBIAN" / "postinst").chmod(0o755)
    (top / "usr/bin/run").write_bytes(b"#!/bin/sh\n" * 1000)
    (top / "usr/bin/run").chmod(0o4755)
    os.link(top / "usr/bin/run", top / "usr/bin/again")
    (top / "usr/bin/link").symlink_to("run")
    (top / "usr/share/outside").symlink_to("/etc/alternatives/x")
    (top / f"usr/{'long-name/' * 25}link").symlink_to("x" * 200)
    (top / "etc/empty").touch()
    (top / "etc/big").write_bytes(os.urandom(700_001))
    Path(os.fsdecode(os.fsencode(top) + b"/etc/\xff not UTF-8")).write_bytes(b"\0")
    return top


def settled(package: Path) -> dict[bytes, Entry]:
    """The package's tree with hard links as the files they are."""
    found: dict[bytes, Entry] = {}
    with package.open("rb") as stream:
        for entry in Deb(stream).entries():
            if isinstance(entry, HardLink):
                existing = found[entry.existing]
                assert isinstance(existing, File)
                found[entry.path] = File(entry.path, existing.executable, existing.size, existing.content)
            elif isinstance(entry, File):
                content = (b"".join(bytes(piece) for piece in entry.content),)
                found[entry.path] = File(entry.path, entry.executable, entry.size, content)
            else:
                found[entry.path] = entry
    return found


@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zstd"])
def test_a_package_gives_the_tree_that_dpkg_deb_unpacks(tree: Path, compression: str, tmp_path: Path) -> None:
    require("dpkg-deb")
    package = tmp_path / "test.deb"
    options = ["--root-owner-group", f"-Z{compression}"]
    subprocess.run(["dpkg-deb", *options, "--build", tree, package], check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "out"], check=True)
    theirs = {entry.path: entry for entry in entries_on_disk(tmp_path / "out")}
    ours = settled(package)
    assert ours.keys() == theirs.keys()
    assert ours == theirs
    assert isinstance(ours[b"usr/share/empty"], Directory)
    assert ours[b"usr/share/outside"] == Symlink(b"usr/share/outside", b"/etc/alternatives/x")


def test_the_control_file_is_the_one_that_was_packed(tree: Path, tmp_path: Path) -> None:
    require("dpkg-deb")
    package = tmp_path / "test.deb"
    subprocess.run(["dpkg-deb", "--build", tree, package], check=True, capture_output=True)
    with package.open("rb") as stream:
        assert Deb(stream).control == CONTROL.encode()
