"""What the model says of a resolution is what the real dynamic linker says in a root with nothing else."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.cli.command import Context
from denizen.resolve.resolution import Resolution
from tests.resolve.test_real_packages import context
from tests.support.peers import require
from tests.support.real_archive import files_of, resolve_program

__all__ = ["context"]

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.peer]
DIRECTORY = "usr/lib/x86_64-linux-gnu"


def test_ld_so_finds_everything_the_resolution_names(context: Context, tmp_path: Path) -> None:
    require("bwrap")
    require("gcc")
    program = tmp_path / "program"
    names = ["libssl.so.3", "libcurl.so.4", "libstdc++.so.6"]
    for name in names:
        stub = ["-shared", "-nostdlib", "-x", "c", "/dev/null", f"-Wl,-soname,{name}", "-o", name]
        subprocess.run(["gcc", *stub], cwd=tmp_path, check=True)
    source = "int main(void) { return 0; }"
    linked = ["-x", "c", "-", "-x", "none", "-Wl,--no-as-needed", *names, "-o", "program"]
    subprocess.run(["gcc", *linked], cwd=tmp_path, input=source, text=True, check=True)
    for name in names:
        (tmp_path / name).unlink()
    resolution = resolve_program(context, program, ["trixie"])
    assert resolution.is_complete
    root = installed_root(context, resolution, tmp_path / "root")
    shutil.copy(program, root / "program")
    assert resolution.interpreter is not None
    listing = subprocess.run(
        ["bwrap", "--bind", str(root), "/", os.fsdecode(resolution.interpreter[0]), "--list", "/program"],
        capture_output=True, text=True, env={}, check=False,
    )  # fmt: skip
    assert listing.returncode == 0, listing.stderr
    found = {line.split(" => ")[0].strip() for line in listing.stdout.splitlines() if " => " in line}
    wanted = {choice.soname.decode() for choice in resolution.choices if not choice.wish}
    assert "not found" not in listing.stdout
    assert {name for name in found if "/" not in name} == {n for n in wanted if not n.startswith("ld-linux")}


def installed_root(context: Context, resolution: Resolution, root: Path) -> Path:
    """A root with the chosen files alone, each under its soname in the default directory."""
    (root / DIRECTORY).mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "lib64").mkdir()
    assert resolution.interpreter is not None
    path, package, file = resolution.interpreter
    wanted = {(choice.package, choice.path): choice.soname for choice in resolution.choices}
    # A package that is there for its files alone (ca-certificates) is fetched when it is unpacked.
    chosen = {package, *(choice.package for choice in resolution.choices)}
    for pin in [one for one in resolution.packages if one.sha256 in chosen]:
        for inside, content in files_of(context, pin).items():
            if (soname := wanted.get((pin.sha256, inside))) is not None:
                (root / DIRECTORY / os.fsdecode(soname)).write_bytes(content)
            if (pin.sha256, inside) == (package, file):
                (root / os.fsdecode(path.lstrip(b"/"))).write_bytes(content)
                (root / os.fsdecode(path.lstrip(b"/"))).chmod(0o755)
    return root
