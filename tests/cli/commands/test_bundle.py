"""`denizen bundle`: one file, or a directory, that starts where there is nothing."""

import errno
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch
from denizen.errors import shell_word
from tests.support.debs import Item
from tests.support.elf_builder import Elf, build
from tests.support.offline_roots import PROGRAM, TRIPLET, DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def greeter(home: DenizenHome) -> Path:
    return home.compile("greeter")


STARTER = """
#include <unistd.h>
int main(int argc, char **argv) { return execv(argv[1], argv + 1); }
"""


def in_an_empty_root(bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle in a root with nothing but an empty /tmp."""
    require("bwrap")
    command = ["bwrap", "--unshare-all", "--tmpfs", "/", "--dir", "/tmp", "--clearenv"]
    return _in_root(
        [*command, "--ro-bind", os.fspath(bundle.parent), "/here", f"/here/{bundle.name}", *words]
    )


def _in_root(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "bwrap" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    return done


def test_a_bundle_runs_in_an_empty_root(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "one" / "greeter.bundle"
    bundle.parent.mkdir()
    told = json.loads(home.denizen("--json", "bundle", str(greeter), "-o", str(bundle)).stdout)
    assert told["bundle"] == str(bundle)
    assert told["size"] == bundle.stat().st_size
    assert [one["name"] for one in told["packages"]] == ["libc6", "libgreet1"]
    assert "empty root" in told["tested"]
    done = in_an_empty_root(bundle, "x")
    assert done.stdout.splitlines() == ["hello from the store", "[/here/greeter.bundle]", "[x]"], done.stderr


def test_what_a_host_has_at_the_usual_paths_does_not_matter(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    """A dynamic linker, libraries, a list of them and a preload that are none."""
    root = tmp_path / "root"
    triplet = "lib/x86_64-linux-gnu"
    for path in (
        "lib64/ld-linux-x86-64.so.2", f"{triplet}/libc.so.6", f"{triplet}/libgreet.so.1", "etc/ld.so.cache",
        "usr/lib/libc.so.6", "etc/nsswitch.conf", "etc/ld.so.conf",
    ):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"\x7fELF nothing of it\n" * 200)
    (root / "etc" / "ld.so.preload").write_text(f"/{triplet}/libgreet.so.1\n")
    for name in ("proc", "tmp", "here"):
        (root / name).mkdir()
    home.denizen("bundle", str(greeter), "-o", str(root / "here" / "greeter.bundle"))
    words = ["bwrap", "--unshare-all", "--bind", str(root), "/", "--proc", "/proc", "--clearenv"]
    done = _in_root([*words, "/here/greeter.bundle", "x"])
    assert done.stdout.splitlines() == ["hello from the store", "[/here/greeter.bundle]", "[x]"], done.stderr


def test_the_same_program_and_packages_give_the_same_bytes(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    made = [tmp_path / "a", tmp_path / "b"]
    for path in made:
        home.denizen("bundle", str(greeter), "-o", str(path))
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_directory_runs_in_an_empty_root(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    home.denizen("bundle", str(greeter), "--dir", str(tmp_path / "dir"))
    done = in_an_empty_root(tmp_path / "dir" / "greeter")
    assert done.stdout.splitlines()[0] == "hello from the store", done.stderr


def test_a_program_that_opens_nothing_has_no_library_that_nothing_needs(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    opener = home.compile("opener", "int main(void) { return !dlopen(0, 1); }", "-ldl")
    for program, has_libm in ((greeter, False), (opener, True)):
        home.denizen("bundle", str(program), "--dir", str(tmp_path / program.name))
        assert (tmp_path / program.name / "bundle" / "lib" / "libm.so.6").exists() is has_libm


def test_a_tree_goes_with_the_program(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    (greeter.parent / "share").mkdir()
    (greeter.parent / "share" / "text").write_text("data")
    target = tmp_path / "dir"
    text = os.path.relpath(greeter.parent / "share" / "text")
    words = ["--argument", text, "--argument", "-v"]
    home.denizen("bundle", str(greeter), "--tree", str(greeter.parent), "--dir", str(target), *words)
    assert (target / "bundle" / "program" / "share" / "text").read_text() == "data"
    done = in_an_empty_root(target / "greeter", "x")
    # By its path there it finds what lies beside it.
    words = ["/here/bundle/program/greeter", "/here/bundle/program/share/text", "-v", "x"]
    assert done.stdout.splitlines()[1:] == [f"[{word}]" for word in words]


def test_it_starts_programs_of_its_tree_and_unknown_ones(home: DenizenHome, tmp_path: Path) -> None:
    tree, target = tmp_path / "tree", tmp_path / "dir"
    for directory in ("bin", "lib"):
        (tree / directory).mkdir(parents=True)
    home.compile("starter", STARTER).rename(tree / "starter")
    # Without a soname, so that it is searched for by its name and $ORIGIN; in the empty root is no /proc.
    own = tree / "lib" / "libown.so"
    subprocess.run(["gcc", "-shared", "-xc", "/dev/null", "-o", own], check=True)
    by_name = ("-Wl,--no-as-needed", f"-L{own.parent}", "-lown", "-Wl,-rpath,$ORIGIN/../lib")
    home.compile("child", PROGRAM, *by_name).rename(tree / "bin" / "child")
    greeter = home.compile("stray")
    home.denizen("bundle", str(tree / "starter"), "--tree", str(tree), "--dir", str(target))
    greeter.rename(target / "stray")
    for child in ("/here/bundle/program/bin/child", "/here/stray"):
        done = in_an_empty_root(target / "starter", child, "x")
        assert done.stdout.splitlines() == ["hello from the store", f"[{child}]", "[x]"], done.stderr


def test_what_programs_in_its_archive_need_comes_along(home: DenizenHome, tmp_path: Path) -> None:
    plain = home.work / "packed.c"
    plain.write_text("int main(void) { return 0; }")
    program = tmp_path / "packed"
    subprocess.run(["gcc", "-o", program, plain], check=True)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(home.compile("inner"), "jdk/bin/inner")
        made.writestr("../leaves", b"\x7fELF")
    program.write_bytes(program.read_bytes() + archive.read_bytes())
    program.chmod(0o755)
    told = json.loads(home.denizen("--json", "bundle", str(program), "-o", str(tmp_path / "out")).stdout)
    assert [one["name"] for one in told["packages"]] == ["libc6", "libgreet1"]


def test_files_of_a_tree_keep_their_times(home: DenizenHome, tmp_path: Path) -> None:
    """Compilers of scripts compare a source's time with that of what they made of it."""
    tree, cache = tmp_path / "tree", tmp_path / "cache"
    tree.mkdir()
    program = tree / "timed"
    home.compile("timed").rename(program)
    times = {"source": 1_700_000_000, "compiled": 1_700_000_100}
    for name, seconds in times.items():
        (tree / name).write_text(name)
        os.utime(tree / name, (seconds, seconds))
    home.denizen("bundle", str(program), "--tree", str(tree), "-o", str(tmp_path / "out"))
    subprocess.run([tmp_path / "out"], env={"XDG_CACHE_HOME": str(cache)}, check=False, capture_output=True)
    unpacked = {path.name: path for path in cache.glob("denizen/bundles/*/bundle/program/*")}
    assert {name: int(unpacked[name].stat().st_mtime) for name in times} == times


def test_a_damaged_object_of_the_store_is_made_again(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    """And never bundled."""
    first, second = tmp_path / "first", tmp_path / "second"
    home.denizen("bundle", str(greeter), "-o", str(first))
    (library,) = home.root.glob("data/store/*libgreet1*/usr/lib/*/libgreet.so.1")
    content = library.read_bytes()
    library.chmod(0o644)
    library.write_bytes(content[:-8] + bytes(8))
    home.denizen("bundle", str(greeter), "-o", str(second))
    assert second.read_bytes() == first.read_bytes()


def test_a_static_program_is_copied(tmp_path: Path) -> None:
    program, target = tmp_path / "static", tmp_path / "copy"
    program.write_bytes(build(Elf(entry=0x1000)))
    program.chmod(0o755)
    assert dispatch(["bundle", str(program), "-o", str(target)]) == 0
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (program.read_bytes(), 0o755)


def test_a_link_where_a_static_program_is_copied_to_is_replaced_and_not_followed(tmp_path: Path) -> None:
    program, target, other = (tmp_path / name for name in ("static", "copy", "other"))
    program.write_bytes(build(Elf(entry=0x1000)))
    other.write_text("somebody's")
    target.symlink_to(other)
    assert dispatch(["bundle", str(program), "-o", str(target)]) == 0
    assert (target.is_symlink(), target.read_bytes()) == (False, program.read_bytes())
    assert other.read_text() == "somebody's"


@pytest.mark.parametrize("option", ["-o", "--dir"])
def test_a_full_disk_is_told_and_nothing_is_left(
    home: DenizenHome, greeter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = ["--quiet", "--root", str(home.root), "bundle", str(greeter), option, str(tmp_path / "out")]
    with pytest.MonkeyPatch.context() as patched:
        for module in ("denizen.output_place", "denizen.app.bundles.bundle_program"):
            patched.setattr(f"{module}.write_atomically", full)
        assert dispatch(words) == 125
    assert capsys.readouterr().err == (
        f"denizen: {tmp_path}/out cannot be written\n  No space left on device\n"
        f"  try: free room on the disk of {shell_word(str(tmp_path))}, or name a place on another\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".", "./", "directory"])
def test_of_a_directory_it_is_said_that_it_is_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "directory").mkdir()
    monkeypatch.chdir(tmp_path)
    assert dispatch(["bundle", name, "-o", "out"]) != 0
    assert "is a directory" in capsys.readouterr().err


def test_a_script_goes_with_its_interpreter_and_what_lies_beside_it(
    home: DenizenHome, tmp_path: Path, short_path: Path
) -> None:
    interpreter = home.compile("interpreter").rename(short_path / "interpreter")
    tree, bundle = tmp_path / "tree", tmp_path / "made" / "script.bundle"
    (tree / "sub").mkdir(parents=True)
    bundle.parent.mkdir()
    script = tree / "sub" / "script"
    script.write_text(f"#!{interpreter} -w -x\n")
    (tree / "data").write_text("beside")
    home.denizen("bundle", str(script), "--tree", str(tree), "-o", str(bundle))
    interpreter.unlink()
    done = in_an_empty_root(bundle, "a  b")
    greeting, called, option, path, word = done.stdout.splitlines()
    assert (greeting, called, option) == ("hello from the store", f"[/here/{bundle.name}]", "[-w -x]")
    assert path.endswith("/bundle/script/sub/script]")
    assert word == "[a  b]"
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([bundle], env=env, check=True, capture_output=True)
    assert [one.read_text() for one in tmp_path.glob("cache/*/*/*/bundle/script/data")] == ["beside"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#!/nowhere/interpreter", "/nowhere/interpreter is not here"),
        ("#!/usr/bin/env -S A=1 sh", "sets variables"),
        ("nothing", "text whose first line names no interpreter"),
    ],
)
def test_a_script_that_has_no_interpreter_to_bundle_is_refused(
    line: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script"
    script.write_text(f"{line}\n")
    assert dispatch(["bundle", str(script), "-o", str(tmp_path / "out")]) != 0
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_interpreter_that_is_a_script_is_refused(
    tmp_path: Path, short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outer, inner = tmp_path / "outer", short_path / "inner"
    inner.write_text("#!/bin/sh\n")
    outer.write_text(f"#!{inner}\n")
    assert dispatch(["bundle", str(outer), "-o", str(tmp_path / "out")]) != 0
    assert "is a script too" in capsys.readouterr().err


def test_what_is_there_is_not_overwritten_by_a_directory(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    done = home.denizen("bundle", str(greeter), "--dir", str(tmp_path), status=None)
    assert done.returncode != 0
    assert "there is something at that path already" in done.stderr


def test_an_appimage_runs_in_an_empty_root_and_by_denizen(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    require("unsquashfs", "file")
    (tmp_path / "one.desktop").write_text("[Desktop Entry]\nType=Application\nName=One\nExec=greeter\n")
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    made = tmp_path / "made" / "greeter.AppImage"
    made.parent.mkdir()
    words = [
        "--app",
        "-o",
        str(made),
        "--desktop",
        str(tmp_path / "one.desktop"),
        "--icon",
        str(tmp_path / "one.png"),
    ]
    told = json.loads(home.denizen("--json", "bundle", str(greeter), *words).stdout)
    assert "empty root" in told["tested"]
    done = in_an_empty_root(made, "x")
    assert done.stdout.splitlines() == ["hello from the store", "[/here/greeter.AppImage]", "[x]"], (
        done.stderr
    )
    offset = subprocess.run(
        [made, "--appimage-offset"], capture_output=True, text=True, check=True
    ).stdout.strip()
    listed = subprocess.run(
        ["unsquashfs", "-l", "-o", offset, made], capture_output=True, text=True, check=True
    ).stdout.split()
    names = {"AppRun", "greeter.desktop", "greeter.png", ".DirIcon", "bundle/decision"}
    assert {f"squashfs-root/{name}" for name in names} <= {*listed}
    (tmp_path / "image").write_bytes(made.read_bytes()[int(offset) :])
    kind = subprocess.run(["file", tmp_path / "image"], capture_output=True, text=True, check=True).stdout
    assert "Squashfs filesystem, little endian, version 4.0" in kind
    started = home.denizen("run", str(made), "y")
    assert started.stdout.splitlines()[0] == "hello from the store"
    assert started.stdout.splitlines()[-1] == "[y]"


def test_a_static_program_becomes_an_appimage(home: DenizenHome, tmp_path: Path) -> None:
    text, program = tmp_path / "static.c", tmp_path / "static"
    text.write_text("#include <stdio.h>\nint main(int c, char **v) { return puts(v[c - 1]) < 0; }")
    subprocess.run(["gcc", "-static", "-o", program, text], check=True)
    made = [tmp_path / "a" / "one", tmp_path / "a" / "two"]
    made[0].parent.mkdir()
    for path in made:
        home.denizen("bundle", str(program), "--app", "-o", str(path))
    assert made[0].read_bytes() == made[1].read_bytes()
    assert in_an_empty_root(made[0], "word").stdout == "word\n"


@pytest.mark.parametrize(
    "words", [["--icon", "x"], ["--app", "--dir", "x"], ["--app", "--icon", "/not/there"]]
)
def test_options_that_do_not_fit_are_refused(greeter: Path, words: list[str]) -> None:
    assert dispatch(["bundle", str(greeter), *words]) == 2


def test_data_at_two_fixed_paths_are_there_once(tmp_path: Path) -> None:
    """Of terminals at the paths of two releases; and no time zones that count leap seconds."""
    source = """
#include <stdio.h>
const char *greeting(void);
int main(void) {
    const char *paths[] = {"/lib/terminfo/d/dumb", "/usr/share/terminfo/d/dumb",
                           "/usr/share/zoneinfo/Zulu", "/usr/share/zoneinfo/right/Zulu"};
    greeting();
    for (int i = 0; i < 4; i++) printf("%d", fopen(paths[i], "r") != NULL);
    return 0;
}
"""
    made = DenizenHome(tmp_path)
    library = made.library("greet").read_bytes()
    files = {
        f"./{TRIPLET}/libgreet.so.1": library,
        "./lib/terminfo/d/dumb": b"\x1a\x01",
        "./usr/share/zoneinfo/Zulu": b"TZif",
        "./usr/share/zoneinfo/right/Zulu": b"TZif",
    }
    made.write("libgreet1", [Item(name, content=content) for name, content in files.items()])
    program = made.compile("opens", source)
    bundle = tmp_path / "here" / "opens.bundle"
    bundle.parent.mkdir()
    made.denizen("bundle", str(program), "-o", str(bundle))
    assert in_an_empty_root(bundle).stdout == "1110"
    made.denizen("bundle", str(program), "--dir", str(tmp_path / "dir"))
    data = tmp_path / "dir" / "bundle" / "data"
    described = [path for path in data.rglob("dumb") if path.is_file()]
    assert len(described) == 1
    assert (data / "usr" / "share" / "terminfo" / "d" / "dumb").samefile(described[0])
