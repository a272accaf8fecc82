"""Bundles: the launcher, with files beside it or packed into it, and where those are unpacked."""

import hashlib
import os
import random
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from denizen.app.bundles.appimage_bundle import AppFiles, appdir_entries, appimage
from denizen.app.bundles.compressors import lzma_streams, zstd_frames
from denizen.app.bundles.unpacked_bundles import unpacked_places
from denizen.elf.image import read
from denizen.formats.bundle_image import (
    BLOCK,
    HEADER,
    WITH_SHORT_UNWIND,
    BlockMethod,
    EntryKind,
    ImageEntry,
    encode,
)
from denizen.launch.bundle_launcher import launcher_beside, launcher_with
from denizen.launch.bundle_layout import bundled_decision
from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.decisions.decision_codec import encode as encode_decision
from denizen.value import replace
from tests.support.command_context import context_of
from tests.support.compiled_loaders import SOMEBODY, TIMEOUT, LoaderSysroot, compile_loader
from tests.support.peers import require
from tests.support.unwind_tables import unwind_tables

pytestmark = pytest.mark.slow
_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int answer(void);
int main(int argc, char **argv) {
    char path[4096];
    if (argc > 1 && !strcmp(argv[1], "again")) return execl("/proc/self/exe", "second", "inner", NULL);
    if (argc > 1 && !strcmp(argv[1], "wait")) return puts("ready") < 0 || fflush(stdout) || getchar() < 0;
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
    printf("%s %s %s %s %d\\n", argv[0], argc > 1 ? argv[1] : "-", strrchr(path, '/') + 1,
           getenv("WORD") ? getenv("WORD") : "-", answer());
    return argc - 1;
}
"""
_LIBRARY = "int answer(void) { return 42; }"


class Bundled:
    """A program that needs a library, bundled as one file and as a directory."""

    def __init__(self, sysroot: LoaderSysroot, launcher: bytes) -> None:
        library = sysroot.library("libanswer.so.1", _LIBRARY)
        program = sysroot.compile("hello", _PROGRAM, str(library), interpreter=False)
        (libc,) = sysroot.system("libc.so.6")
        rows = [DecisionLibrary(os.fsencode(path), os.fsencode(path.name)) for path in (library, libc)]
        decision = sysroot.decision(program, rows)
        places = {one.path: b"lib/" + one.name for one in rows} | {decision.ldso: b"lib/ld.so"}
        bundled = bundled_decision(
            decision, b"program/hello", places, data=False, resident=False, whole=False
        )
        self.loader = launcher_beside(sysroot.loader.read_bytes())
        inside = compile_loader(sysroot.root / "denizen-inside").read_bytes()
        self.entries = [
            ImageEntry(b"bundle/decision", EntryKind.FILE, encode_decision(bundled)),
            ImageEntry(b"bundle/denizen-loader", EntryKind.PROGRAM, self.loader),
            ImageEntry(b"bundle/denizen-inside", EntryKind.FILE, inside),
            ImageEntry(b"bundle/program/hello", EntryKind.PROGRAM, program.read_bytes()),
            *(
                ImageEntry(b"bundle/" + places[path], EntryKind.FILE, Path(os.fsdecode(path)).read_bytes())
                for path in places
            ),
            # A collection asks whether a process has the image's hash in its mappings: each test has its own.
            ImageEntry(b"bundle/test", EntryKind.FILE, secrets.token_bytes(16)),
        ]
        self.cache = sysroot.root / "cache"
        self.file = sysroot.root / "hello.bundle"
        self.launcher = launcher
        self.write(self.entries)

    def next_version(self, content: bytes) -> None:
        """Give the file other content, so that its next start unpacks it elsewhere."""
        self.write([*self.entries, ImageEntry(b"bundle/version", EntryKind.FILE, content)])

    @property
    def all_unpacked(self) -> list[Path]:
        return sorted((self.cache / "denizen" / "bundles").iterdir())

    def write(self, entries: list[ImageEntry]) -> None:
        self.file.unlink(missing_ok=True)  # it may be running
        self.file.write_bytes(launcher_with(self.launcher, encode(entries, zstd_frames(1))))
        self.file.chmod(0o755)

    def directory(self, place: Path) -> Path:
        """Write the bundle's files, and the launcher beside them; return the launcher."""
        for entry in self.entries:
            path = place / os.fsdecode(entry.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
            path.chmod(0o755)
        launcher = place / "hello"
        launcher.write_bytes(self.loader)
        launcher.chmod(0o755)
        return launcher

    @property
    def unpacked(self) -> Path:
        (found,) = (self.cache / "denizen" / "bundles").iterdir()
        return found

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return run([str(self.file), *words], env or {"XDG_CACHE_HOME": str(self.cache)})


def run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=dict(env), capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_loader(tmp_path_factory.mktemp("launcher") / "denizen-bundle").read_bytes()


@pytest.fixture
def bundled(sysroot: LoaderSysroot, launcher: bytes) -> Bundled:
    return Bundled(sysroot, launcher)


def test_words_variables_and_status_are_the_programs(bundled: Bundled) -> None:
    for _ in ("unpacked now", "unpacked before"):
        done = bundled.run("one", env={"XDG_CACHE_HOME": str(bundled.cache), "WORD": "w"})
        assert (done.stdout, done.stderr, done.returncode) == (f"{bundled.file} one hello w 42\n", "", 1)


@pytest.mark.parametrize(("name", "below"), [("HOME", ".cache/denizen"), ("TMPDIR", "denizen-{uid}")])
def test_denizen_collects_where_the_launcher_unpacks(
    bundled: Bundled, tmp_path: Path, name: str, below: str
) -> None:
    variables = {name: str(tmp_path)}
    assert bundled.run("one", env=variables).returncode == 1
    place = tmp_path / below.format(uid=os.geteuid()) / "bundles"
    assert len(list(place.iterdir())) == 1
    assert os.fsencode(place) in unpacked_places(context_of(variables, None).session)


@pytest.mark.parametrize("count", range(1, 6))
def test_arguments_of_the_bundle_come_first(bundled: Bundled, launcher: bytes, count: int) -> None:
    own = [b"/@bundle/program/hello", *(b"own%d" % number for number in range(2, count + 1))]
    image = encode(bundled.entries, zstd_frames(1))
    bundled.file.write_bytes(launcher_with(launcher, image, own))
    done = bundled.run("one", "two", env={"XDG_CACHE_HOME": str(bundled.cache), "WORD": "w"})
    first = bundled.unpacked / "bundle" / "program" / "hello"
    # The program ends with the number of its arguments; the variable lies behind them.
    assert (done.stdout, done.returncode) == (f"{bundled.file} {first} hello w 42\n", count + 2), done.stderr


@pytest.mark.parametrize(("signals", "told"), [("", "''"), ("PIPE", "13"), ("PIPE XFSZ", "13,25")])
def test_ignored_signals_are_told_as_an_argument(
    bundled: Bundled, launcher: bytes, signals: str, told: str
) -> None:
    image = encode(bundled.entries, zstd_frames(1))
    bundled.file.write_bytes(launcher_with(launcher, image, [b"/@ignored-signals"]))
    ignored = "".join(f"trap '' {name}; " for name in signals.split())
    done = run(
        ["sh", "-c", f'{ignored} exec "$0"', str(bundled.file)], {"XDG_CACHE_HOME": str(bundled.cache)}
    )
    assert done.stdout == f"{bundled.file} {told.strip(chr(39))} hello - 42\n"


def test_with_arguments_it_does_not_start_from_memory(bundled: Bundled, launcher: bytes) -> None:
    image = encode(bundled.entries, zstd_frames(1))
    bundled.file.write_bytes(launcher_with(launcher, image, [b"/@bundle/program/hello"]))
    done = on_a_read_only_root(bundled)
    assert (done.stdout, done.returncode) == ("", 127)
    assert "let XDG_CACHE_HOME name a directory with room" in done.stderr


def as_appimage(bundled: Bundled, launcher: bytes) -> dict[str, bytes]:
    """Write the bundle as an AppImage, with files in fragments, in several blocks, stored, and equal ones."""
    contents = {
        "large": os.urandom(2 << 20) + bytes(1 << 20) + b"end",
        "random": os.urandom(3000),
        "empty": b"",
    }
    contents |= {"again": contents["large"], "zeros": bytes(1 << 20)}
    more = [ImageEntry(b"data/" + os.fsencode(name), EntryKind.FILE, text) for name, text in contents.items()]
    own = appdir_entries(b"hello", bundled.loader, AppFiles())
    bundled.file.write_bytes(appimage(launcher, [*own, *bundled.entries, *more], zstd_frames(1)))
    return contents


def test_an_appimage_unpacks_the_blocks_of_its_file_system(bundled: Bundled, launcher: bytes) -> None:
    contents = as_appimage(bundled, launcher)
    for _ in ("unpacked now", "unpacked before"):
        assert bundled.run("x").stdout == f"{bundled.file} x hello - 42\n"
    found = {path.name: path.read_bytes() for path in (bundled.unpacked / "data").iterdir()}
    assert found == contents
    assert os.readlink(bundled.unpacked / ".DirIcon") == "hello.svg"
    assert run([str(bundled.unpacked / "AppRun"), "x"], {}).stdout.endswith(" x hello - 42\n")


def test_an_appimage_answers_what_tools_ask_of_a_runtime(
    bundled: Bundled, launcher: bytes, tmp_path: Path
) -> None:
    contents = as_appimage(bundled, launcher)
    offset = int(bundled.run("--appimage-offset").stdout)
    assert bundled.file.read_bytes()[offset : offset + 4] == b"hsqs"
    # The specification: where the ELF file ends, by its header.
    payload = read(bundled.file.read_bytes()).payload
    assert payload is not None
    assert (payload.kind, payload.offset) == ("appimage", offset)
    command = ["sh", "-c", f"cd {tmp_path} && exec {bundled.file} --appimage-extract"]
    # The second time what is there is replaced.
    for _ in range(2):
        said = run(command, {}).stdout.splitlines()
        assert {"squashfs-root/AppRun", "squashfs-root/data/again"} <= {*said}
        assert (tmp_path / "squashfs-root" / "data" / "again").read_bytes() == contents["again"]
    started = bundled.run("--appimage-extract-and-run", "x")
    assert started.stdout == f"{bundled.file} x hello - 42\n"
    unknown = bundled.run("--appimage-unknown")
    assert "--appimage-help has the options" in unknown.stderr
    assert unknown.returncode == 1
    # As other runtimes: what people ask for goes to standard error.
    for option, answer in (("--appimage-help", "--appimage-mount"), ("--appimage-version", "denizen")):
        told = bundled.run(option)
        assert answer in told.stderr
        assert (told.stdout, told.returncode) == ("", 0)


_PATTERNS = {
    "*.desktop": {"hello.desktop"},
    ".DirIcon": {".DirIcon"},
    "data": {"data", "data/large", "data/random", "data/empty", "data/again", "data/zeros"},
    "data/?[a-d]*": {"data/random", "data/large"},
    "data/[!lre]*": {"data/again", "data/zeros"},
    "*/large": {"data/large"},
    "*": None,
    "large": set(),
    "[": set(),
}


@pytest.mark.parametrize("pattern", _PATTERNS)
def test_a_pattern_names_what_is_extracted(
    bundled: Bundled, launcher: bytes, tmp_path: Path, pattern: str
) -> None:
    """As fnmatch with FNM_PATHNAME and FNM_LEADING_DIR, of which Python's has neither."""
    as_appimage(bundled, launcher)
    done = run(["sh", "-c", f"cd {tmp_path} && exec {bundled.file} --appimage-extract '{pattern}'"], {})
    assert (done.stderr, done.returncode) == ("", 0)
    root = tmp_path / "squashfs-root"
    said = {line.removeprefix("squashfs-root/") for line in done.stdout.splitlines()}
    there = {str(path.relative_to(root)) for path in root.rglob("*")}
    wanted = _PATTERNS[pattern]
    if wanted is None:
        assert "bundle/program/hello" in said
        assert said == there
    else:
        assert said == wanted
        assert there == wanted | {name.partition("/")[0] for name in wanted}


def test_tools_write_into_an_appimages_sections(bundled: Bundled, launcher: bytes) -> None:
    """What an updater and who signs write is no damage: the hash is not about it."""
    own = appdir_entries(b"hello", bundled.loader, AppFiles())
    entries, frames = [*own, *bundled.entries], zstd_frames(1)
    bundled.file.write_bytes(appimage(launcher, entries, frames, update=b"zsync|https://a.example/b.zsync"))
    assert bundled.run("--appimage-updateinformation").stdout == "zsync|https://a.example/b.zsync\n"
    assert bundled.run("--appimage-signature").stdout == "\n"
    content = bytearray(bundled.file.read_bytes())
    sections = sections_of(bundled.file)
    assert {name: size for name, (_, size) in sections.items()} == {
        ".upd_info": 1024,
        ".sha256_sig": 1024,
        ".sig_key": 8192,
        ".digest_md5": 16,
    }
    digest_at, digest_size = sections[".digest_md5"]
    digest = bytes(content[digest_at : digest_at + digest_size])
    content[digest_at : digest_at + digest_size] = bytes(digest_size)
    assert digest == hashlib.md5(content).digest()
    for name, text in ((".upd_info", b"other"), (".sha256_sig", b"S" * 1024), (".sig_key", b"K" * 8192)):
        at = sections[name][0]
        content[at : at + len(text)] = text
    bundled.file.write_bytes(content)
    assert bundled.run("--appimage-updateinfo").stdout.startswith("other")
    assert bundled.run("--appimage-signature").stdout == "S" * 1024 + "\n"
    assert bundled.run("x").stdout == f"{bundled.file} x hello - 42\n"


def sections_of(path: Path) -> dict[str, tuple[int, int]]:
    """Return offset and size of the sections by names, as readelf has them; not of the names' own."""
    require("readelf")
    command = ["readelf", "-SW", str(path)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("]", 1)[1].split() for line in listed.splitlines() if "PROGBITS" in line]
    return {row[0]: (int(row[3], 16), int(row[4], 16)) for row in rows}


def test_an_appimage_shows_where_it_is_until_it_is_ended(bundled: Bundled, launcher: bytes) -> None:
    as_appimage(bundled, launcher)
    command = [str(bundled.file), "--appimage-mount"]
    environment = {"XDG_CACHE_HOME": str(bundled.cache)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        place = Path(process.stdout.readline().strip())
        assert (place / "AppRun").exists()
        assert process.poll() is None
        process.terminate()


def test_an_appimage_shows_nothing_where_it_cannot_be_unpacked(bundled: Bundled, launcher: bytes) -> None:
    as_appimage(bundled, launcher)
    done = on_a_read_only_root(bundled, "--appimage-mount")
    assert (done.stdout, done.returncode) == ("", 127)
    assert "it cannot be unpacked" in done.stderr


_VARIABLES = """
#include <stdio.h>
extern char **environ;
int main(void) { for (char **e = environ; *e; e++) puts(*e); return 0; }
"""


@pytest.fixture
def telling(bundled: Bundled, launcher: bytes, sysroot: LoaderSysroot) -> Bundled:
    """A bundle that is an AppImage whose program, a static one, prints its environment."""
    program = sysroot.compile("static", _VARIABLES, "-static", interpreter=False)
    own = appdir_entries(b"static", program.read_bytes(), AppFiles())
    bundled.file.write_bytes(appimage(launcher, own, zstd_frames(1)))
    return bundled


def test_an_appimage_sets_the_variables_of_a_runtime(telling: Bundled) -> None:
    variables = {"XDG_CACHE_HOME": str(telling.cache), "APPDIR": "/old", "WORD": "w"}
    found = telling.run("x", env=variables).stdout.splitlines()
    assert found == [
        f"APPDIR={telling.unpacked}",
        f"APPIMAGE={telling.file}",
        f"ARGV0={telling.file}",
        f"OWD={os.getcwd()}",
        f"XDG_CACHE_HOME={telling.cache}",
        "WORD=w",
    ]


def test_an_appimage_in_memory_has_no_directory(telling: Bundled) -> None:
    done = on_a_read_only_root(telling, "x", APPDIR="/old")
    assert (done.stderr, done.returncode) == ("", 0)
    assert {"APPIMAGE=/made", "ARGV0=/made", "OWD=/"} <= {*done.stdout.splitlines()}
    assert "APPDIR=" not in done.stdout


def test_directories_beside_an_appimage_are_its_programs_home_and_configuration(telling: Bundled) -> None:
    variables = {"XDG_CACHE_HOME": str(telling.cache), "HOME": "/old"}
    assert "HOME=/old" in telling.run("x", env=variables).stdout.splitlines()
    for option in ("home", "config", "home"):
        made = telling.run(f"--appimage-portable-{option}", env=variables)
        assert (made.returncode, made.stdout) == (0, "")
        assert f"{telling.file}.{option}" in made.stderr
    seen = telling.run("x", env=variables).stdout.splitlines()
    assert f"HOME={telling.file}.home" in seen
    assert f"XDG_CONFIG_HOME={telling.file}.config" in seen
    assert "HOME=/old" not in seen


def test_a_runtime_out_of_its_file_runs_the_appimage_that_a_tool_names(
    telling: Bundled, tmp_path: Path
) -> None:
    """As AppImageLauncher does: it executes a copy of the ELF file's part, without its mark."""
    whole = telling.file.read_bytes()
    alone = tmp_path / "runtime"
    alone.write_bytes(whole[:8] + bytes(3) + whole[11 : int(telling.run("--appimage-offset").stdout)])
    alone.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(telling.file)
    variables = {"XDG_CACHE_HOME": str(telling.cache), "TARGET_APPIMAGE": str(link)}
    seen = run([str(alone), "x"], variables).stdout
    assert f"APPIMAGE={telling.file}\n" in seen
    assert "TARGET_APPIMAGE" not in seen
    refused = run([str(alone), "x"], variables | {"TARGET_APPIMAGE": "/bin/sh"})
    assert "not the AppImage that this runtime is of" in refused.stderr
    assert refused.returncode == 127


def on_a_read_only_root(bundled: Bundled, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start the file as /made where nothing can be written."""
    require("bwrap")
    command = ["bwrap", "--unshare-all", "--tmpfs", "/", "--ro-bind", str(bundled.file), "/made"]
    command += ["--proc", "/proc", "--remount-ro", "/", "--clearenv"]
    for name, value in variables.items():
        command += ["--setenv", name, value]
    done = run([*command, "/made", *words], os.environ)
    if "bwrap" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    return done


def test_nothing_of_a_damaged_appimage_is_extracted(
    bundled: Bundled, launcher: bytes, tmp_path: Path
) -> None:
    as_appimage(bundled, launcher)
    content = bytearray(bundled.file.read_bytes())
    content[-5000] ^= 1
    bundled.file.write_bytes(content)
    done = run(["sh", "-c", f"cd {tmp_path} && exec {bundled.file} --appimage-extract"], {})
    assert "it is damaged" in done.stderr
    assert not (tmp_path / "squashfs-root").exists()


def test_a_program_executes_itself_again(bundled: Bundled) -> None:
    assert bundled.run("again").stdout == "second inner hello - 42\n"


def test_a_directory_works_wherever_it_is_moved(bundled: Bundled, tmp_path: Path) -> None:
    bundled.directory(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "other place")
    moved = tmp_path / "other place" / "hello"
    assert run([str(moved), "x"], {}).stdout == f"{moved} x hello - 42\n"


def test_many_at_once_unpack_one_whole_bundle(bundled: Bundled) -> None:
    environment = {"XDG_CACHE_HOME": str(bundled.cache)}
    started = [
        subprocess.Popen([bundled.file], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    assert {one.communicate(timeout=TIMEOUT)[0] for one in started} == {f"{bundled.file} - hello - 42\n"}
    assert [path.name for path in bundled.unpacked.parent.iterdir()] == [bundled.unpacked.name]


def test_what_another_container_is_unpacking_stays(bundled: Bundled) -> None:
    """Containers that share the cache have processes of the same numbers."""
    require("unshare")
    bundled.run()
    unpacked = bundled.unpacked
    others = unpacked.with_name(f".{unpacked.name}.1")
    unpacked.rename(others)
    alone = ["unshare", "-r", "--pid", "--fork", str(bundled.file)]
    done = run(alone, {"XDG_CACHE_HOME": str(bundled.cache), "PATH": os.environ["PATH"]})
    assert done.stdout == f"{bundled.file} - hello - 42\n"
    assert sorted(path.name for path in unpacked.parent.iterdir()) == [others.name, unpacked.name]


@pytest.mark.parametrize("damage", ["cut", "gone", "linked"])
def test_what_lost_a_file_is_unpacked_again(bundled: Bundled, damage: str) -> None:
    bundled.run()
    library = bundled.unpacked / "bundle" / "lib" / "libanswer.so.1"
    content = library.read_bytes()
    library.unlink()
    if damage == "cut":
        library.write_bytes(content[:-1])
    elif damage == "linked":
        library.symlink_to("/nowhere")
    assert bundled.run().stdout == f"{bundled.file} - hello - 42\n"
    assert library.read_bytes() == content
    assert [path.name for path in bundled.unpacked.parent.iterdir()] == [bundled.unpacked.name]


def test_nothing_is_unpacked_from_a_damaged_file(bundled: Bundled) -> None:
    content = bytearray(bundled.file.read_bytes())
    content[-40] ^= 1
    bundled.file.write_bytes(content)
    done = bundled.run()
    assert (done.returncode, done.stdout) == (127, "")
    assert "it is damaged" in done.stderr
    assert list((bundled.cache / "denizen" / "bundles").iterdir()) == []


def test_a_file_that_ends_too_early_says_so(bundled: Bundled) -> None:
    bundled.file.write_bytes(bundled.file.read_bytes()[:-5000])
    assert "it is damaged: it ends too early" in bundled.run().stderr


def test_a_cache_that_others_may_write_is_not_used(bundled: Bundled, tmp_path: Path) -> None:
    place = bundled.cache / "denizen" / "bundles"
    place.mkdir(parents=True)
    place.chmod(0o777)
    home = tmp_path / "home"
    done = bundled.run(env={"XDG_CACHE_HOME": str(bundled.cache), "HOME": str(home)})
    assert done.stdout == f"{bundled.file} - hello - 42\n"
    assert list(place.iterdir()) == []
    assert len(list((home / ".cache" / "denizen" / "bundles").iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a home to another user")
def test_root_unpacks_nothing_below_another_users_home(bundled: Bundled, tmp_path: Path) -> None:
    """Who could put another directory there between the check and the start."""
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, SOMEBODY, SOMEBODY)
    done = bundled.run(env={"HOME": str(home), "TMPDIR": str(bundled.cache.parent)})
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []
    assert len(list((bundled.cache.parent / "denizen-0" / "bundles").iterdir())) == 1


def test_what_others_could_have_changed_is_unpacked_again(bundled: Bundled) -> None:
    bundled.run()
    bundled.unpacked.chmod(0o777)
    library = bundled.unpacked / "bundle" / "lib" / "libanswer.so.1"
    content = library.read_bytes()
    library.write_bytes(bytes(len(content)))
    assert bundled.run().stdout == f"{bundled.file} - hello - 42\n"
    assert (bundled.unpacked.stat().st_mode & 0o777, library.read_bytes()) == (0o700, content)


def test_where_nothing_can_be_written_it_starts_from_memory(bundled: Bundled) -> None:
    require("bwrap")
    command = ["bwrap", "--unshare-all", "--tmpfs", "/", "--ro-bind", str(bundled.file), "/hello"]
    command += ["--proc", "/proc", "--remount-ro", "/", "--clearenv", "/hello", "x"]
    done = run(command, os.environ)
    if "bwrap" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    # In memory a file has its own name, and what the kernel adds to it.
    assert done.stdout.split()[:2] == ["/hello", "x"]
    assert done.stdout.split()[-1] == "42"


def test_a_full_disk_is_told_and_leaves_nothing(bundled: Bundled) -> None:
    require("bwrap")
    command = ["bwrap", "--unshare-all", "--tmpfs", "/", "--ro-bind", str(bundled.file), "/hello"]
    command += ["--size", "65536", "--tmpfs", "/small", "--remount-ro", "/"]
    done = run([*command, "--clearenv", "--setenv", "HOME", "/small", "/hello"], os.environ)
    if "bwrap" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    assert done.returncode == 127
    assert "/small/.cache/denizen/bundles" in done.stderr
    assert "ENOSPC" in done.stderr


def _words(seed: int, size: int) -> bytes:
    """Return text-like bytes: words that recur, so that every kind of match occurs."""
    chance = random.Random(seed)
    words = [chance.randbytes(chance.randrange(1, 12)) for _ in range(200)]
    return b"".join(chance.choices(words, k=size // 6))


_COMPRESSORS = {
    **{f"zstd {level}": (zstd_frames(level), BlockMethod.ZSTD) for level in (1, 3, 9, 19)},
    "LZMA": (lzma_streams(), BlockMethod.LZMA),
}


@pytest.mark.parametrize("name", _COMPRESSORS)
@pytest.mark.parametrize("x86", [False, True], ids=["plain", "addresses"])
def test_the_launcher_gives_back_what_was_compressed(
    bundled: Bundled, launcher: bytes, name: str, *, x86: bool
) -> None:
    contents = [b"", b"a", bytes(300_000), os.urandom(70_000), _words(1, 300_000), _words(2, 40_000)]
    contents += [
        Path(sys.executable).resolve().read_bytes()[: 3 << 20],
        b"ab" * 70_000,
        bytes(range(256)) * 300,
    ]
    more = [
        ImageEntry(b"bundle/data/%d" % number, EntryKind.FILE, content)
        for number, content in enumerate(contents)
    ]
    compress, method = _COMPRESSORS[name]
    image = encode([*bundled.entries, *more], compress, method=method, x86=x86)
    bundled.file.write_bytes(launcher_with(launcher, image))
    assert bundled.run().stdout == f"{bundled.file} - hello - 42\n"
    assert [(bundled.unpacked / os.fsdecode(one.name)).read_bytes() for one in more] == contents


@pytest.mark.parametrize("size", [1, 3, 4, 5, 9, 200_000])
def test_addresses_in_anything_become_the_distances_that_were_there(
    bundled: Bundled, launcher: bytes, size: int
) -> None:
    """Bytes that opcodes begin with, close to one another and up to the end of the block."""
    chance = random.Random(size)
    content = bytes(chance.choices(b"\xe8\x0f\x85\xff\x15\x48\x8b\x05\xc5\xc4\x10\x00", k=size))
    # The pattern itself does not get smaller, and would be stored.
    more = ImageEntry(b"bundle/data", EntryKind.FILE, bytes(4096) + content)
    image = encode([*bundled.entries, more], zstd_frames(1), x86=True)
    bundled.file.write_bytes(launcher_with(launcher, image))
    assert bundled.run().stdout == f"{bundled.file} - hello - 42\n"
    assert (bundled.unpacked / os.fsdecode(more.name)).read_bytes() == more.content


@pytest.mark.parametrize("sorted_already", [True, False])
def test_unwind_tables_are_made_again_from_their_records(
    bundled: Bundled, launcher: bytes, *, sorted_already: bool
) -> None:
    starts = [16 * at - 800 for at in range(500)]
    if not sorted_already:
        random.Random(3).shuffle(starts)
    made = [unwind_tables(starts), unwind_tables([0, 16], entries=bytes(range(16))), unwind_tables([])]
    more = ImageEntry(b"bundle/data", EntryKind.FILE, b"x".join([*made, made[0], made[0][:-30]]))
    image = encode([*bundled.entries, more], zstd_frames(1), x86=True)
    assert BLOCK.unpack_from(image, HEADER.size)[3] & WITH_SHORT_UNWIND
    bundled.file.write_bytes(launcher_with(launcher, image))
    assert bundled.run().stdout == f"{bundled.file} - hello - 42\n"
    assert (bundled.unpacked / os.fsdecode(more.name)).read_bytes() == more.content


def test_what_a_killed_unpacking_left_is_removed_a_day_later(bundled: Bundled) -> None:
    bundled.run()
    unpacked = bundled.unpacked
    left = unpacked.with_name(f".{unpacked.name}.1")
    unpacked.rename(left)
    os.utime(left, (1_000_000, 1_000_000))
    bundled.run()
    assert sorted(path.name for path in unpacked.parent.iterdir()) == [unpacked.name]


_LONG_AGO = (1_000_000, 1_000_000)


def test_what_no_start_used_for_long_is_removed_when_another_is_unpacked(bundled: Bundled) -> None:
    bundled.run()
    old = bundled.unpacked
    bundled.next_version(b"2")
    bundled.run()
    (used,) = (path for path in bundled.all_unpacked if path != old)
    os.utime(old, _LONG_AGO)
    bundled.next_version(b"3")
    bundled.run()
    left = bundled.all_unpacked
    assert old not in left
    assert used in left
    assert len(left) == 2


def test_a_start_notes_that_what_is_unpacked_is_used(bundled: Bundled) -> None:
    bundled.run()
    os.utime(bundled.unpacked, _LONG_AGO)
    assert bundled.run("one").returncode == 1
    assert bundled.unpacked.stat().st_mtime > _LONG_AGO[0]


def test_what_a_process_runs_from_stays_however_old(bundled: Bundled) -> None:
    environment = {"XDG_CACHE_HOME": str(bundled.cache)}
    command = [str(bundled.file), "wait"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        old = bundled.unpacked
        os.utime(old, _LONG_AGO)
        bundled.next_version(b"2")
        bundled.run()
        assert old in bundled.all_unpacked
        running.communicate(b"\n")
    bundled.next_version(b"3")
    bundled.run()
    assert old not in bundled.all_unpacked


def test_what_somebody_reads_stays_however_old(bundled: Bundled) -> None:
    """Processes of other containers are not in /proc; that a file is open is known all the same."""
    bundled.run()
    old = bundled.unpacked
    os.utime(old, _LONG_AGO)
    with open(old / "bundle" / "program" / "hello", "rb"):
        bundled.next_version(b"2")
        bundled.run()
        assert old in bundled.all_unpacked


def test_a_start_waits_for_few_old_ones(bundled: Bundled) -> None:
    bundled.run()
    place = bundled.unpacked.parent
    for number in range(20):
        made = place / f"{number:040x}"
        (made / "bundle").mkdir(parents=True)
        os.utime(made, _LONG_AGO)
    other = place / "somebody's"
    other.mkdir()
    os.utime(other, _LONG_AGO)
    bundled.next_version(b"2")
    bundled.run()
    left = bundled.all_unpacked
    assert len(left) == 2 + 20 - 8 + 1
    assert other in left


def test_a_decision_about_another_program_is_not_followed(bundled: Bundled) -> None:
    entries = {one.name: one for one in bundled.entries}
    shell = Path(shutil.which("true") or "/bin/true").read_bytes()
    entries[b"bundle/program/hello"] = replace(entries[b"bundle/program/hello"], content=shell)
    assert read(shell).interpreter
    bundled.write(list(entries.values()))
    done = bundled.run()
    assert done.returncode == 127
    assert "are not what was bundled" in done.stderr
