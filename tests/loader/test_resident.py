"""What the resident does where a program misses a library, and what the program sees of that."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.elf.image import read
from denizen.launch.decisions.decision import Edit
from denizen.launch.decisions.static_tls import static_tls_edits
from denizen.launch.dlopen_record import Opened
from denizen.launch.loader.loader_settings import LoaderSettings
from denizen.value import replace
from tests.support.compiled_loaders import SOMEBODY, TIMEOUT, compile_loader, output_of, run
from tests.support.processes import has_ended, wait_until
from tests.support.resident_sysroots import (
    CONSTRUCTS,
    GENERAL_DYNAMIC,
    INITIAL_EXEC,
    INTERRUPTED,
    OPENS,
    SANDBOXED,
    SEPARATES,
    SHOWS_MAPS,
    THREADS,
    USES_NUMBER,
    USES_VARIABLE,
    WATCHES,
    Resident,
    index_of,
)

_LIBRARIES = ("denizen-exec", "denizen-inside", "denizen-resident")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loader(tmp_path_factory.mktemp("resident") / "denizen-resident")


@pytest.fixture
def resident(tmp_path: Path, loader: Path, library: Path) -> Resident:
    sysroot = Resident(tmp_path, loader)
    sysroot.settle(library)
    return sysroot


def test_a_missed_library_is_asked_for_and_opened(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    done = run(resident.known("opens", OPENS), "libcomes.so.1")
    assert (done.stdout, done.returncode) == ("opened\n", 7)
    assert resident.asked == ["--missed libcomes.so.1"]


def test_a_helper_with_many_words_is_asked_by_all_of_them(resident: Resident, library: Path) -> None:
    """As after `run` with many a `--with`."""
    resident.comes("libcomes.so.1", 7)
    helper = resident.root / "of-many-words"
    helper.write_text('#!/bin/sh\nshift 300\nexec "$(dirname "$0")/helper" "$@"\n')
    helper.chmod(0o755)
    resident.configure(
        LoaderSettings(
            directories=(os.fsencode(resident.decisions),),
            command=(os.fsencode(helper), *[b"%d" % number for number in range(300)]),
            resident=os.fsencode(library),
        )
    )
    assert run(resident.known("opens", OPENS), "libcomes.so.1").returncode == 7


@pytest.mark.parametrize("sources", [(INITIAL_EXEC, USES_NUMBER), (GENERAL_DYNAMIC, USES_VARIABLE)])
def test_static_tls_of_needed_libraries_fits_beside_the_resident(
    resident: Resident, sources: tuple[str, str]
) -> None:
    """Natively it does; glibc lays the block out early where it loads an auditing library."""
    big = resident.library("libbig.so.1", sources[0])
    program = resident.compile("uses", sources[1], str(big))
    libraries = [big, *resident.system("libc.so.6")]
    images = [read(path.read_bytes()) for path in (program, *libraries)]
    resident.decide(program, libraries, opened=os.fsencode(resident.opened))
    assert "static TLS" in run(program).stderr
    room = static_tls_edits(read(resident.ldso.read_bytes()), images)
    resident.decide(program, libraries, opened=os.fsencode(resident.opened), edits=room)
    assert (run(program).stderr, run(program).returncode) == ("", 5)


def test_an_optional_edit_is_left_out_where_its_old_bytes_are_not(resident: Resident) -> None:
    program = resident.known("opens", OPENS)
    other = Edit(0, b"no ELF", b"at all", optional=True)
    resident.decide(program, resident.system("libc.so.6"), edits=(other,))
    assert output_of(program, "libc.so.6") == "opened\n"
    resident.decide(program, resident.system("libc.so.6"), edits=(replace(other, optional=False),))
    assert "not the file this program's decision was made for" in run(program, "libc.so.6").stderr


def test_what_came_is_not_asked_for_again(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    program = resident.known("opens", OPENS)
    for _ in range(2):
        assert run(program, "libcomes.so.1").returncode == 7
    assert len(resident.asked) == 1


def test_the_next_start_finds_what_came_where_it_finds_the_rest(resident: Resident) -> None:
    """One directory is searched for both; when the decision has another, the old one is left alone."""
    resident.library("libours.so.1", "int number(void) { return 5; }")
    program = resident.joined("libcomes.so.1", 7)

    def tried(name: str) -> list[str]:
        shown = run(program, name, env={"LD_DEBUG": "files,libs"}).stderr
        return [line.split("=")[1] for line in shown.splitlines() if "trying file=" in line and name in line]

    for name in ("libcomes.so.1", "libours.so.1"):
        assert [path for path in tried(name) if "/glibc-hwcaps/" not in path][-1].endswith(f"/.all/{name}")
    assert run(program, "libours.so.1", "libcomes.so.1", "libnobody.so.1").returncode == 7
    other = resident.root / "other"
    resident.lib.rename(other)
    resident.decide(program, [other / "libc.so.6"], opened=os.fsencode(resident.opened), search=bytes(other))
    assert not any("/.all/" in path for path in tried("libours.so.1"))
    assert run(program, "libours.so.1", "libcomes.so.1").returncode == 7


def test_what_came_is_opened_by_its_own_path_at_the_next_start(resident: Resident) -> None:
    """The table beside the links is read; a link costs the kernel as much again as the file."""
    program = resident.joined("libcomes.so.1", 7)
    (resident.opened / ".all" / "libcomes.so.1").unlink()
    (resident.opened / "libcomes.so.1").unlink()
    assert run(program, "libcomes.so.1").returncode == 7
    assert len(resident.asked) == 1


@pytest.mark.parametrize("size", [0, 7, 8, 20, -1])
def test_without_a_whole_table_each_directory_is_searched(resident: Resident, size: int) -> None:
    program = resident.joined("libcomes.so.1", 7)
    table = resident.opened / ".all" / ".table"
    table.write_bytes(table.read_bytes()[:size])
    assert run(program, "libcomes.so.1").returncode == 7
    shutil.rmtree(table.parent)
    assert run(program, "libcomes.so.1").returncode == 7


@pytest.mark.parametrize("ours", [".", ".all"])
def test_directories_in_ours_are_passed_over(resident: Resident, ours: str) -> None:
    """A processor's, where ld.so looks first: ours have links alone, and 10 calls are saved."""
    program = resident.joined("libcomes.so.1", 7)
    if ours == ".":
        shutil.rmtree(resident.opened / ".all")
    for level in ("v2", "v3", "v4"):
        lower = resident.opened / ours / "glibc-hwcaps" / f"x86-64-{level}"
        lower.mkdir(parents=True)
        (lower / "libcomes.so.1").write_bytes(b"no library")
    assert run(program, "libcomes.so.1").returncode == 7


def test_what_is_not_to_be_had_is_not_asked_for_again(resident: Resident) -> None:
    program = resident.known("opens", OPENS)
    shown = [output_of(program, "libdenied.so.1", "libdenied.so.1") for _ in range(2)]
    error = "libdenied.so.1: cannot open shared object file: No such file or directory\n"
    assert shown == [error * 2] * 2
    assert resident.asked == ["--missed libdenied.so.1"]


@pytest.mark.parametrize("name", ["libkills.so.1", "libnobody.so.1"])
def test_without_an_answer_the_error_is_ld_sos_own(resident: Resident, name: str) -> None:
    program = resident.known("opens", OPENS)
    error = f"{name}: cannot open shared object file: No such file or directory\n"
    assert output_of(program, name) == error
    # One that goes on asking is left alone after a while.
    assert output_of(program, *[name] * 20) == error * 20
    assert len(resident.asked) == 1 + 8


@pytest.mark.parametrize(
    "name", ["libcomes", "-lib.so.1", "lib comes.so.1", "../libcomes.so.1", "x" * 201 + ".so"]
)
def test_what_is_no_name_of_a_library_is_not_asked_for(resident: Resident, name: str) -> None:
    output_of(resident.known("opens", OPENS), name)
    assert resident.asked == []


def test_a_plugin_gets_what_it_needs_whatever_its_run_path(resident: Resident) -> None:
    needed = resident.comes("libcomes.so.1", 8)
    text = "int number(void); int plugged(void) { return number(); }"
    flags = ("-shared", "-fPIC", str(needed))
    plugins = {
        name: resident.compile(f"plugins/{name}.so", text, *flags, *path)
        for name, path in {
            "none": (),
            "runpath": ("-Wl,--enable-new-dtags,-rpath,$ORIGIN",),
            "rpath": ("-Wl,--disable-new-dtags,-rpath,$ORIGIN",),
        }.items()
    }
    program = resident.known("opens", OPENS)
    for plugin in plugins.values():
        assert run(program, str(plugin)).returncode == 8
        (resident.opened / "libcomes.so.1").unlink()
    assert resident.asked == ["--needed libcomes.so.1"] * 3


def test_a_plugin_with_a_run_path_finds_the_libraries_of_the_decision(resident: Resident) -> None:
    needed = resident.library("libours.so.1", "int number(void) { return 5; }")
    text = "int number(void); int plugged(void) { return number(); }"
    path = "-Wl,--enable-new-dtags,-rpath,/nowhere"
    plugin = resident.compile("plugin.so", text, "-shared", "-fPIC", path, str(needed))
    assert run(resident.known("opens", OPENS), str(plugin)).returncode == 5
    assert resident.asked == []


def test_the_run_path_of_who_asks_comes_first(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    own = resident.compile("own/libcomes.so.1", "int number(void) { return 6; }", "-shared", "-fPIC")
    flag = f"-Wl,--enable-new-dtags,-rpath,{own.parent}"
    assert run(resident.known("opens", OPENS, flag), "libcomes.so.1").returncode == 6
    program = resident.known("others", OPENS)
    assert run(program, "libcomes.so.1", env={"LD_LIBRARY_PATH": str(own.parent)}).returncode == 6
    assert resident.asked == []


def test_the_program_cannot_tell_that_it_had_a_child(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    assert output_of(resident.known("watches", WATCHES), "libcomes.so.1") == "1 0 -1 1 0 1\n"
    assert resident.asked == ["--missed libcomes.so.1"]


def test_the_helper_gets_nothing_of_the_programs_environment(resident: Resident) -> None:
    run(
        resident.known("opens", OPENS),
        "libnobody.so.1",
        env={"LD_PRELOAD": "", "SECRET": "1", "PYTHONPATH": "/x"},
    )
    shown = dict(line.split("=", 1) for line in (resident.root / "environment").read_text().splitlines())
    assert shown.pop("DENIZEN_DECIDING") == "1"
    assert shown.keys() <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_program_that_waits_and_the_helper_with_it(resident: Resident, number: int) -> None:
    process = subprocess.Popen([resident.known("opens", OPENS), "libwaits.so.1"], env={})
    written = resident.root / "number"
    wait_until(lambda: written.exists() and bool(written.read_text().strip()))
    helper = written.read_text().strip()
    process.send_signal(number)
    assert process.wait(TIMEOUT) == -number
    wait_until(lambda: has_ended(helper))


def test_a_name_space_of_its_own_gets_what_it_misses(resident: Resident) -> None:
    """The name itself, and what a plugin needs there that the program's own name space has already."""
    needed = resident.comes("libcomes.so.1", 7)
    text = "int number(void); int plugged(void) { return number(); }"
    plugin = resident.compile("plugin.so", text, "-shared", "-fPIC", str(needed))
    program = resident.known("separates", SEPARATES)
    absent = "libnobody.so.1: cannot open shared object file: No such file or directory"
    shown = output_of(program, "libcomes.so.1", str(plugin), "libnobody.so.1")
    assert shown.splitlines() == ["opened", "opened", absent]
    assert resident.asked == ["--missed libcomes.so.1", "--missed libnobody.so.1"]


def test_constructors_get_what_they_open(resident: Resident) -> None:
    """Of a library that the program starts with, and of one that is opened: a dlopen within a dlopen."""
    for name, number in (("libcomes.so.1", 7), ("libcomes.so.2", 8)):
        resident.comes(name, number)
    first = resident.library("libfirst.so.1", CONSTRUCTS.replace("NAME", "libcomes.so.1"))
    later = resident.compile("later.so", CONSTRUCTS.replace("NAME", "libcomes.so.2"), "-shared", "-fPIC")
    program = resident.compile("opens", OPENS, "-Wl,--no-as-needed", str(first))
    libraries = [first, *resident.system("libc.so.6")]
    resident.decide(program, libraries, opened=os.fsencode(resident.opened))
    assert output_of(program, str(later)).splitlines() == ["7", "8", "opened"]


def test_signals_reach_the_programs_handler_while_it_waits(resident: Resident) -> None:
    """Every thousandth of a second, and they restart no call."""
    resident.comes("libcomes.so.1", 7)
    program = resident.known("interrupted", INTERRUPTED)
    assert output_of(program, "libcomes.so.1") == "7 handled\n"
    assert resident.asked == ["--missed libcomes.so.1"]


def test_inside_a_helper_nobody_is_asked(resident: Resident) -> None:
    run(resident.known("opens", OPENS), "libcomes.so.1", env={"DENIZEN_DECIDING": "1"})
    assert resident.asked == []


@pytest.mark.skipif(not Path("/lib/ld-linux.so.2").exists(), reason="there is no C library for i386")
def test_a_32_bit_program_is_answered_too(tmp_path: Path) -> None:
    small = ("gcc", "-m32")
    loader = compile_loader(tmp_path / "small-loader", *small)
    (tmp_path / "sysroot").mkdir()
    resident = Resident(tmp_path / "sysroot", loader, host_ldso=Path("/lib/ld-linux.so.2"), cc=small)
    resident.settle(compile_loader(tmp_path / "denizen-resident", *small))
    resident.comes("libcomes.so.1", 7)
    assert output_of(resident.known("watches", WATCHES), "libcomes.so.1") == "1 0 -1 1 0 1\n"


def test_eight_threads_and_a_fork_miss_at_once(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    index_of(resident, b"libcomes.so.1")
    assert output_of(resident.known("threads", THREADS, "-pthread")) == "0 3 1\n"
    assert set(resident.asked) == {"--missed libcomes.so.1"}


def test_who_has_gone_into_a_sandbox_asks_nobody(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    assert run(resident.known("sandboxed", SANDBOXED), "libcomes.so.1").returncode == 0
    assert resident.asked == []


@pytest.mark.parametrize(
    "known", [b"libcomes.so.1", b"liba.so.1", b"libz.so.1", b"libcomes.so.10", b"libcomes.so."]
)
def test_what_no_index_has_is_not_asked_for(resident: Resident, known: bytes) -> None:
    resident.comes("libcomes.so.1", 7)
    index_of(resident, b"libb.so.1", b"libx.so.1", known)
    run(resident.known("opens", OPENS), "libcomes.so.1")
    assert bool(resident.asked) == (known == b"libcomes.so.1")


def test_an_index_that_cannot_be_read_rules_nothing_out(resident: Resident) -> None:
    place = index_of(resident, b"libother.so.1")
    whole = place.read_bytes()
    program = resident.known("opens", OPENS)
    for content in (whole[:20], b"x" * len(whole), whole[:12] + b"\xff" * (len(whole) - 12)):
        place.write_bytes(content)
        run(program, "libcomes.so.1")
    place.unlink()
    run(program, "libcomes.so.1")
    assert len(resident.asked) == 4


def test_what_lies_in_a_directory_of_the_hosts_is_left_to_the_host(resident: Resident) -> None:
    """ld.so searches there next; only what it will not find is asked for."""
    resident.comes("libcomes.so.1", 7)
    host = resident.root / "host"
    host.mkdir()
    (host / "libhosts.so.1").write_text("")
    Opened(os.fsencode(resident.opened)).leave_to_host([os.fsencode(resident.root), os.fsencode(host)])
    done = run(resident.known("opens", OPENS), "libhosts.so.1", "libcomes.so.1")
    assert done.returncode == 7
    assert resident.asked == ["--missed libcomes.so.1"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/usr/lib/x86_64-linux-gnu/libcomes.so.1", True),
        ("/lib64/libcomes.so.1", True),
        ("/usr/libs/libcomes.so.1", False),
        ("/opt/lib/libcomes.so.1", False),
    ],
)
def test_a_path_in_a_default_directory_is_answered_like_its_name(
    resident: Resident, path: str, *, asked: bool
) -> None:
    resident.comes("libcomes.so.1", 7)
    done = run(resident.known("opens", OPENS), path)
    assert (done.returncode, resident.asked) == ((7, ["--missed libcomes.so.1"]) if asked else (0, []))
    assert asked or done.stdout.startswith(path)


def test_a_path_elsewhere_below_lib_is_asked_for_as_such_until_it_is_denied(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    path = "/usr/lib/x86_64-linux-gnu/plugins/libcomes.so.1"
    program = resident.known("opens", OPENS)
    assert run(program, path).stdout.startswith(path)
    assert resident.asked == [f"--at {path}"]
    Opened(os.fsencode(resident.opened)).deny_path(os.fsencode(path), "nobody has it")
    run(program, path)
    assert resident.asked == [f"--at {path}"]


def test_a_path_elsewhere_is_the_hosts_to_have_beside_its_libraries(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    Opened(os.fsencode(resident.opened)).leave_to_host([b"/usr/lib"])
    run(resident.known("opens", OPENS), "/usr/lib/plugins/libcomes.so.1")
    assert resident.asked == []


def test_a_path_in_a_default_directory_leads_to_the_decisions_library_first(resident: Resident) -> None:
    resident.library("libhas.so.1", "int number(void) { return 5; }")
    assert run(resident.known("opens", OPENS), "/usr/lib/libhas.so.1").returncode == 5
    assert resident.asked == []


def test_a_program_that_audits_itself_still_does(resident: Resident) -> None:
    resident.comes("libcomes.so.1", 7)
    text = """
    #include <unistd.h>
    unsigned la_version(unsigned version) { write(1, "own\\n", 4); return version; }
    """
    own = resident.compile("own-audit.so", text, "-shared", "-fPIC")
    program = resident.known("opens", OPENS, f"-Wl,--audit,{own}")
    done = run(program, "libcomes.so.1")
    assert (done.stdout, done.returncode) == ("own\nopened\n", 7)


def test_without_a_place_for_what_is_opened_nothing_audits(resident: Resident) -> None:
    program = resident.compile("opens", OPENS)
    resident.decide(program, resident.system("libc.so.6"))
    shown = subprocess.run(
        [program, "libcomes.so.1"], env={"LD_DEBUG": "files"}, capture_output=True, text=True, check=False
    ).stderr
    assert "denizen-resident" not in shown
    assert resident.asked == []


@pytest.fixture
def trusted(resident: Resident) -> Iterator[Path]:
    """Root's decisions, which other users follow too; they can go through all directories on the way."""
    if os.geteuid():
        pytest.skip("makes a set-user-ID program")
    place = Path("/var/lib") / f"denizen-test-resident-{os.getpid()}"
    place.mkdir(0o755)
    for directory in (resident.root, *resident.root.parents):
        if directory.stat().st_uid == 0 and directory not in (Path("/"), Path("/tmp")):
            directory.chmod(0o755)
    resident.decisions = place
    yield place
    shutil.rmtree(place)


def _settle_for_all(resident: Resident, trusted: Path, library: Path, executes: Path | None = None) -> None:
    """Give the programs of every user the resident, by root's decisions."""
    library.parent.chmod(0o755)
    resident.configure(
        LoaderSettings(
            directories=(os.fsencode(trusted),),
            command=(os.fsencode(resident.root / "helper"),),
            resident=os.fsencode(library),
            exec_library=os.fsencode(executes or ""),
            starter=os.fsencode(resident.loader),
        )
    )


def test_nothing_of_it_is_in_secure_execution(resident: Resident, library: Path, trusted: Path) -> None:
    """Root's own decision is followed; what it says of the resident is not."""
    resident.comes("libcomes.so.1", 7)
    program = resident.compile("opens", OPENS)
    _settle_for_all(resident, trusted, library)
    program.chmod(0o4755)
    resident.decide(program, resident.system("libc.so.6"), opened=os.fsencode(resident.opened), search=b"")
    done = run(program, "libcomes.so.1", user=SOMEBODY)
    assert "cannot open shared object file" in done.stdout
    assert resident.asked == []


@pytest.mark.parametrize(("mode", "ours"), [(0o755, ["exec", "resident"]), (0o4755, [])])
def test_no_library_of_ours_is_in_secure_execution(
    resident: Resident, library: Path, trusted: Path, mode: int, ours: list[str]
) -> None:
    """Neither what brings libraries nor what brings commands; without the bit both are."""
    executes = compile_loader(library.parent / "denizen-exec")
    _settle_for_all(resident, trusted, library, executes)
    program = resident.compile("maps", SHOWS_MAPS)
    program.chmod(mode)
    libraries, opened = resident.system("libc.so.6"), os.fsencode(resident.opened)
    resident.decide(program, libraries, opened=opened, search=b"", executes=True)
    shown = run(program, user=SOMEBODY)
    assert shown.returncode == 0, shown.stderr
    mapped = {line.rpartition("/")[2].strip() for line in shown.stdout.splitlines()}
    assert sorted(name.removeprefix("denizen-") for name in mapped if name in _LIBRARIES) == ours
