"""What a target lacks for a package's commands, in roots made on the spot."""

import subprocess
from pathlib import Path

import pytest

from denizen.app.system.target_check import lacking_for
from denizen.disk_view import RootedView
from tests.support.peers import require

MAIN = "int main(void) { return 0; }"


def lacks(root: Path, program: str) -> list[str]:
    return list(lacking_for(RootedView(str(root).encode()), f"/bin/{program}".encode()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a program linked with a library of its own, which is in it too."""
    require("gcc")
    root = tmp_path / "root"
    for name in ("bin", "lib", "lib64"):
        (root / name).mkdir(parents=True)
    _compiled(root / "lib/libown.so.1", "int own(void) { return 0; }", "-shared", "-Wl,-soname,libown.so.1")
    (tmp_path / "libown.so").symlink_to(root / "lib/libown.so.1")
    call = "int own(void); int main(void) { return own(); }"
    _compiled(root / "bin/tool", call, f"-L{tmp_path}", "-lown", "-Wl,-rpath,/lib", "-nostdlib", "-e", "main")
    return root


def _compiled(place: Path, text: str, *options: str) -> None:
    command = ["gcc", "-w", "-x", "c", "-", "-x", "none", "-o", str(place), *options]
    subprocess.run(command, input=text, text=True, check=True)


def _interpreter(root: Path) -> Path:
    said = subprocess.run(["readelf", "-lW", root / "bin/tool"], capture_output=True, text=True, check=True)
    return root / said.stdout.partition("program interpreter: /")[2].partition("]")[0]


def test_an_empty_target_lacks_the_dynamic_linker(root: Path) -> None:
    assert lacks(root, "tool") == [f"/{_interpreter(root).relative_to(root)}"]


def test_a_missing_library_is_lacked(root: Path) -> None:
    _placed_linker(root)
    assert lacks(root, "tool") == []
    (root / "lib/libown.so.1").unlink()
    assert lacks(root, "tool") == ["libown.so.1"]


def test_a_version_that_the_targets_library_has_not_is_lacked(root: Path, tmp_path: Path) -> None:
    _placed_linker(root)
    (tmp_path / "map").write_text("OWN_2 { global: own; };")
    versioned = ("-shared", "-Wl,-soname,libown.so.1", f"-Wl,--version-script={tmp_path}/map")
    _compiled(root / "lib/libown.so.1", "int own(void) { return 0; }", *versioned)
    call = "int own(void); int main(void) { return own(); }"
    _compiled(root / "bin/new", call, f"-L{tmp_path}", "-lown", "-Wl,-rpath,/lib", "-nostdlib", "-e", "main")
    assert lacks(root, "new") == []
    (tmp_path / "map").write_text("OWN_1 { global: own; };")
    _compiled(root / "lib/libown.so.1", "int own(void) { return 0; }", *versioned)
    assert lacks(root, "new") == ["OWN_2 in libown.so.1"]


def test_scripts_want_their_interpreter_and_static_programs_nothing(root: Path) -> None:
    _compiled(root / "bin/static", MAIN, "-static", "-nostdlib", "-e", "main")
    (root / "bin/script").write_text("#!/bin/lua -W\n")
    (root / "bin/other").write_text("#!/bin/static\n")
    (root / "bin/gone").symlink_to("nowhere")
    assert lacks(root, "script") == ["/bin/lua"]
    assert [lacks(root, name) for name in ("static", "other", "gone")] == [[], [], []]


def _placed_linker(root: Path) -> None:
    linker = _interpreter(root)
    linker.parent.mkdir(parents=True, exist_ok=True)
    linker.write_bytes(Path("/", linker.relative_to(root)).read_bytes())
