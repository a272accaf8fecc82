"""What a desktop, man and shells find of a profile, by XDG_DATA_DIRS and MANPATH alone; they are asked."""

import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.peers import require
from tests.support.profile_home import ProfileHome

pytestmark = [pytest.mark.peer, pytest.mark.slow]

_ENTRY = b"""[Desktop Entry]
Type=Application
Name=Viewer
Exec=/usr/bin/viewer %f
TryExec=/usr/bin/viewer
Icon=viewer
MimeType=application/x-view;
Categories=Utility;
"""
_TYPES = b"""<?xml version="1.0"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/x-view"><comment>a view</comment><glob pattern="*.view"/></mime-type>
</mime-info>
"""
_UNIT = b"[Service]\nExecStart=/usr/bin/viewer --serve\n"
_FILES = {
    "usr/share/applications/viewer.desktop": _ENTRY,
    "usr/share/mime/packages/viewer.xml": _TYPES,
    "usr/share/icons/hicolor/48x48/apps/viewer.png": b"\x89PNG",
    "usr/share/man/man1/viewer.1": b".TH VIEWER 1\n.SH NAME\nviewer \\- view\n",
    "usr/share/bash-completion/completions/viewer": b"complete -W 'one two' viewer\n",
    "usr/share/fish/vendor_completions.d/viewer.fish": b"complete -c viewer -a 'one two'\n",
    "usr/share/zsh/vendor-completions/_viewer": b"#compdef viewer\n_arguments\n",
    "usr/lib/systemd/user/viewer.service": _UNIT,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ProfileHome:
    made = ProfileHome(tmp_path_factory.mktemp("desktop"))
    program = Item("./usr/bin/viewer", content=b'#!/bin/sh\necho viewing "$1" >"$VIEWED"\n', mode=0o755)
    fonts = {"usr/share/fonts/truetype/viewer/viewer.ttf": _font()}
    made.add(
        "viewer",
        [program, *(Item(f"./{name}", content=text) for name, text in (_FILES | fonts).items())],
        depends="dash",
    )
    made.denizen("install", "viewer", "greet")
    return made


def _font() -> bytes:
    """Some font of this machine's, for the package to carry."""
    require("fc-match")
    found = subprocess.run(["fc-match", "--format=%{file}", "sans"], capture_output=True, check=True).stdout
    return Path(os.fsdecode(found)).read_bytes()


def asked(home: ProfileHome, *words: str, shell: str = "sh", **more: str) -> subprocess.CompletedProcess[str]:
    """A command with the variables of `denizen env`, and no other data directories."""
    plain = {"PATH": os.environ["PATH"], "HOME": str(home.root), "XDG_DATA_DIRS": "/nowhere", **more}
    lines = home.denizen(
        "env", "--shell", shell, env=plain | {"PYTHONPATH": os.pathsep.join(__import__("sys").path)}
    ).stdout
    return subprocess.run(
        [shell, "-c", f'{lines}\n"$@"', shell, *words], env=plain, capture_output=True, text=True, check=False
    )


def test_a_desktop_entry_is_valid_and_finds_its_program_by_name(home: ProfileHome) -> None:
    require("desktop-file-validate")
    entry = home.profile / "share" / "applications" / "viewer.desktop"
    subprocess.run(["desktop-file-validate", entry], check=True)
    assert "\nExec=viewer %f\nTryExec=viewer\n" in entry.read_text()


def test_types_are_known_with_the_program_that_opens_them(home: ProfileHome, tmp_path: Path) -> None:
    require("xdg-mime")
    assert (
        asked(home, "xdg-mime", "query", "default", "application/x-view").stdout.strip() == "viewer.desktop"
    )
    (tmp_path / "a.view").write_text("x")
    if not Path("/usr/bin/gio").exists():
        pytest.skip("there is no gio here, which reads the database of types")
    found = asked(home, "gio", "info", "-a", "standard::content-type", str(tmp_path / "a.view")).stdout
    assert "application/x-view" in found


def test_man_finds_the_page(home: ProfileHome) -> None:
    require("man")
    found = asked(home, "man", "-w", "viewer").stdout.strip()
    assert found == os.fspath((home.profile / "share/man/man1/viewer.1").resolve())
    assert asked(home, "man", "-w", "ls").returncode in {0, 16}  # its own pages are looked for as before


def test_bash_completes_it(home: ProfileHome) -> None:
    loader = Path("/usr/share/bash-completion/bash_completion")
    if not loader.exists():
        pytest.skip("there is no bash-completion here")
    words = f". {loader}; __load_completion viewer 2>/dev/null || _comp_load viewer; complete -p viewer"
    assert "one two" in asked(home, "bash", "-c", words, shell="bash").stdout


def test_fish_and_zsh_complete_it(home: ProfileHome) -> None:
    require("fish", "zsh")
    assert "one" in asked(home, "fish", "-c", "complete -C 'viewer '").stdout
    words = "autoload -U compinit; compinit -u -D; print $_comps[viewer]"
    lines = home.denizen("env", "--shell", "zsh").stdout
    done = subprocess.run(
        ["zsh", "-f", "-c", f"{lines}\n{words}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "_viewer"


def test_systemd_reads_the_unit_where_it_looks(home: ProfileHome) -> None:
    unit = home.profile / "share" / "systemd" / "user" / "viewer.service"
    assert unit.read_text() == "[Service]\nExecStart=/usr/bin/env viewer --serve\n"
    require("systemd-analyze")
    found = asked(home, "systemd-analyze", "--user", "unit-paths").stdout.splitlines()
    assert str(unit.parent) in found


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a display of a server of its own, whose number the server chooses."""
    require("Xvfb")
    ready, told = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(told), "-screen", "0", "64x64x24", "-nolisten", "tcp"],
        pass_fds=[told],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(told)
        with open(ready) as number:
            yield f":{number.readline().strip()}"
        server.terminate()


def test_a_desktop_starts_the_program_by_its_entry(home: ProfileHome, display: str, tmp_path: Path) -> None:
    require("gtk-launch")
    viewed = tmp_path / "viewed"
    os.mkfifo(viewed)
    file = tmp_path / "a b.view"
    file.write_text("x")
    reader = os.open(viewed, os.O_RDONLY | os.O_NONBLOCK)
    with open(reader) as words:
        os.set_blocking(reader, True)
        done = asked(home, "gtk-launch", "viewer", str(file), DISPLAY=display, VIEWED=str(viewed))
        assert done.returncode == 0, done.stderr
        ready, _, _ = select.select([reader], [], [], 60)
        assert ready, "it was not started"
        assert words.readline() == f"viewing {file}\n"


def test_fontconfig_lists_the_font(home: ProfileHome) -> None:
    fonts = asked(home, "fc-list", "--format=%{file}\n").stdout.splitlines()
    assert str(home.profile / "share/fonts/truetype/viewer/viewer.ttf") in fonts


def test_the_icon_is_below_the_data_directory(home: ProfileHome) -> None:
    assert (home.profile / "share/icons/hicolor/48x48/apps/viewer.png").read_bytes() == b"\x89PNG"
