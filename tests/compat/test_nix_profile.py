"""Profiles beside real Nix: the same things installed, the trees of links compared link by link."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.denizen_command import denizen
from tests.support.nix import PrivateNix, private_nix
from tests.support.peers import require

pytestmark = [pytest.mark.peer, pytest.mark.slow]

# What a zip and an unzip have, with the directories that both have.
ZIP = {
    **dict.fromkeys(("bin/zip", "bin/zipcloak", "bin/zipnote", "bin/zipsplit"), "#!/bin/sh\necho zip $#\n"),
    **{f"share/man/man1/{name}.1.gz": name for name in ("zip", "zipcloak", "zipnote", "zipsplit")},
    **{f"share/doc/zip/{name}": name for name in ("changelog", "copyright", "README", "WHATSNEW")},
}
UNZIP = {
    **dict.fromkeys(("bin/unzip", "bin/funzip", "bin/zipinfo", "bin/zipgrep"), "#!/bin/sh\necho unzip $#\n"),
    **{f"share/man/man1/{name}.1.gz": name for name in ("unzip", "funzip", "unzipsfx", "zipgrep", "zipinfo")},
    **{f"share/doc/unzip/{name}": name for name in ("changelog", "copyright", "History", "ToDo")},
    "share/zsh/site-functions/_unzip": "#compdef unzip\n",
    "etc/unziprc": "\n",
}


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> PrivateNix:
    require("nix-env")
    return private_nix(tmp_path_factory.mktemp("nix"))


def tree(top: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        place = top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        place.chmod(0o755 if name.startswith("bin/") else 0o644)
    return top


def links(top: Path) -> dict[str, str | None]:
    """The tree below a profile, without its manifest: where each link leads; None for a directory."""
    found: dict[str, str | None] = {}
    for place in sorted(top.rglob("*")):
        name = place.relative_to(top).as_posix()
        if not name.startswith("manifest"):
            found[name] = os.readlink(place) if place.is_symlink() else None
    return found


def leaves(top: Path) -> dict[str, Path]:
    """Each file that can be reached below a profile, and where it is in the end."""
    found = {}
    for directory, _, names in os.walk(top, followlinks=True):
        for name in names:
            place = Path(directory, name)
            if not name.startswith("manifest"):
                found[place.relative_to(top).as_posix()] = place.resolve()
    return found


def test_the_trees_of_links_are_those_of_nix(nix: PrivateNix, tmp_path: Path) -> None:
    root, profile = tmp_path / "root", tmp_path / "profile"
    sources = [tree(tmp_path / "in" / "zip-3.0", ZIP), tree(tmp_path / "in" / "unzip-6.0", UNZIP)]
    theirs = [nix.lines("nix-store", "--add", source)[0] for source in sources]
    nix.run("nix-env", "--profile", profile, "--install", *theirs)
    (generation,) = nix.lines("readlink", "-f", profile) if profile.exists() else [os.readlink(profile)]
    while not generation.startswith("/nix/store"):
        generation = os.readlink(tmp_path / generation)
    wanted = links(nix.physical(generation))

    ours = [denizen(root, "store", "add", source).stdout.decode().strip() for source in sources]
    # The store's directory enters the hashes, and a private Nix calls its own /nix/store.
    objects = {Path(our).name: their for our, their in zip(ours, theirs, strict=True)}
    denizen(root, "install", *ours)
    made = links((root / "state/profiles/profile").resolve())
    # The same paths; and but for the commands, which start themselves, the same targets.
    assert made.keys() | {"bin"} == wanted.keys() | {name for name in made if name.startswith("bin/")}
    for name in made.keys() - {name for name in made if name.startswith("bin")}:
        assert in_store(made[name], name, objects) == wanted[name], name
    assert len([target for target in wanted.values() if target]) >= 15


def in_store(target: str | None, name: str, objects: dict[str, str]) -> str | None:
    """A relative link of ours, as Nix's absolute one."""
    if target is None:
        return None
    base, _, inside = target.removeprefix("../" * (name.count("/") + 1)).partition("/")
    return f"{objects[base]}/{inside}"


def test_every_file_is_reached_and_commands_run(tmp_path: Path) -> None:
    root = tmp_path / "root"
    sources = [tree(tmp_path / "in" / "zip-3.0", ZIP), tree(tmp_path / "in" / "unzip-6.0", UNZIP)]
    ours = [denizen(root, "store", "add", source).stdout.decode().strip() for source in sources]
    denizen(root, "install", *ours)
    profile = root / "state" / "profiles" / "profile"
    assert leaves(profile).keys() == {*ZIP, *UNZIP}
    for name in (name for name in (*ZIP, *UNZIP) if name.startswith("bin/")):
        done = subprocess.run([profile / name, "a", "b"], capture_output=True, text=True, check=True)
        assert done.stdout == f"{'zip' if name in ZIP else 'unzip'} 2\n"
