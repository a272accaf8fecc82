"""`denizen run X.AppImage`: unpacked into the store once, started as an ordinary tree, without FUSE."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.appimages import make_appimage, make_old_appimage, variables_in
from tests.support.offline_roots import DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow

RUN = b'#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/usr/bin/tool" "$@"\n'
TOOL = b"#!/bin/sh\nenv\necho words: $*\nexit 5\n"


@pytest.fixture
def home(tmp_path: Path) -> DenizenHome:
    return DenizenHome(tmp_path)


def test_apprun_is_started_with_the_variables_that_its_runtime_would_set(home: DenizenHome) -> None:
    app = make_appimage(home.work / "X.AppImage", {"AppRun": RUN, "usr": {"bin": {"tool": TOOL}}})
    before = app.read_bytes()
    done = home.denizen("run", "./X.AppImage", "one", "two", status=5, directory=home.work)
    seen = variables_in(done.stdout)
    assert "words: one two" in done.stdout
    assert seen["APPIMAGE"] == f"{home.work}/X.AppImage"
    assert seen["OWD"] == os.fspath(home.work)
    assert seen["ARGV0"] == "./X.AppImage"
    assert seen["APPDIR"].startswith(f"{home.root}/data/store/")
    assert app.read_bytes() == before


def test_directories_beside_it_are_its_programs_home_and_configuration(home: DenizenHome) -> None:
    """Also where it is called by a link: the file's own path counts."""
    app = make_appimage(home.work / "X.AppImage", {"AppRun": TOOL})
    (home.work / "link").symlink_to(app)
    before = variables_in(home.denizen("run", "./link", status=5, directory=home.work).stdout)
    assert before["APPIMAGE"] == f"{app}"
    for suffix in ("home", "config"):
        Path(f"{app}.{suffix}").mkdir()
    seen = variables_in(home.denizen("run", "./link", status=5, directory=home.work).stdout)
    assert before["HOME"] != seen["HOME"] == f"{app}.home"
    assert seen["XDG_CONFIG_HOME"] == f"{app}.config"


def test_a_foreign_program_inside_gets_its_libraries_from_packages(home: DenizenHome) -> None:
    program = home.compile("greet").read_bytes()
    app = make_appimage(home.work / "Foreign.AppImage", {"AppRun": program})
    done = home.denizen("run", os.fspath(app), "word")
    assert done.stdout.splitlines()[0] == "hello from the store"
    assert done.stdout.splitlines()[2] == "[word]"


def test_it_needs_neither_fuse_nor_a_tmp_that_can_execute(home: DenizenHome, tmp_path: Path) -> None:
    require("unshare")
    app = make_appimage(home.work / "Locked.AppImage", {"AppRun": home.compile("greet").read_bytes()})
    (tmp_path / "noexec").mkdir()
    # The device answers as none; who may not mount has no namespaces here.
    script = (
        'mount -t tmpfs -o noexec tmp "$0" && { [ ! -e /dev/fuse ] || mount --bind /dev/null /dev/fuse; } && '
        '! { cp /bin/true "$0/true" && "$0/true"; } 2>/dev/null && TMPDIR=$0 exec "$@"'
    )
    command = home.command("run", os.fspath(app), "word")
    for _ in range(2):
        words = ["unshare", "-rm", "sh", "-c", script, os.fspath(tmp_path / "noexec"), *command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.stdout.startswith("hello from the store\n"), done.stderr


def test_it_is_unpacked_once_also_for_a_second_copy_of_it(home: DenizenHome) -> None:
    app = make_appimage(home.work / "Once.AppImage", {"AppRun": TOOL})
    copy = home.work / "copy"
    first = home.denizen("run", os.fspath(app), status=5)
    shutil.copy2(app, copy)
    second = home.denizen("run", os.fspath(copy), status=5)
    assert "unpacking Once.AppImage" in first.stderr
    assert "unpacking" not in second.stderr
    assert variables_in(first.stdout)["APPDIR"] == variables_in(second.stdout)["APPDIR"]
    assert variables_in(second.stdout)["APPIMAGE"] == os.fspath(copy)


def test_a_collection_leaves_what_an_appimage_that_is_there_needs(home: DenizenHome) -> None:
    app = make_appimage(home.work / "Kept.AppImage", {"AppRun": TOOL})
    home.denizen("run", os.fspath(app), status=5)
    home.denizen("gc")
    done = home.denizen("run", "--offline", os.fspath(app), status=5)
    assert "unpacking" not in done.stderr


def test_a_name_that_leads_out_of_the_image_is_refused_and_nothing_is_left(home: DenizenHome) -> None:
    app = make_appimage(home.work / "Evil.AppImage", {"AppRun": TOOL, "up": "../../../etc/passwd"})
    done = home.denizen("run", os.fspath(app), status=125)
    assert "'up' is refused" in done.stderr
    assert not list((home.root / "data" / "store").glob("*-appimage"))


def test_one_without_a_program_says_so(home: DenizenHome) -> None:
    app = make_appimage(home.work / "Odd.AppImage", {"other": TOOL})
    done = home.denizen("run", os.fspath(app), status=126)
    assert "has no AppRun" in done.stderr


def test_one_of_type_1_is_unpacked_too(home: DenizenHome, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "usr" / "bin").mkdir(parents=True)
    for name, content in (("AppRun", RUN), ("usr/bin/tool", TOOL)):
        (tree / name).write_bytes(content)
        (tree / name).chmod(0o755)
    app = make_old_appimage(home.work / "Old.AppImage", tree)
    for _ in range(2):
        done = home.denizen("run", os.fspath(app), "one", "two", status=5)
        assert "words: one two" in done.stdout
    assert variables_in(done.stdout)["APPIMAGE"] == os.fspath(app)
    damaged = app.read_bytes().replace(b"CD001", b"CD002")
    app.write_bytes(damaged)
    assert "ISO 9660" in home.denizen("run", os.fspath(app), status=125).stderr


def test_a_damaged_image_is_told_with_its_place(home: DenizenHome) -> None:
    app = make_appimage(home.work / "Cut.AppImage", {"AppRun": TOOL * 100})
    content = app.read_bytes()
    app.write_bytes(content[:-20])
    done = home.denizen("run", os.fspath(app), status=125)
    assert "SquashFS" in done.stderr
