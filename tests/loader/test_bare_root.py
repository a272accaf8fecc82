"""A root that holds nothing but the program, the loader in the linker's place, and the libraries it needs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import HOST_LDSO, TIMEOUT, LoaderSysroot
from tests.support.peers import require

_PROGRAM = """
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char path[4096];
    if (argc > 1 && !strcmp(argv[1], "child")) return execl(argv[2], argv[2], "of", argv[0], NULL);
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
    printf("%s %s %d\\n", path, argc > 1 ? argv[1] : "alone", access("/usr", F_OK));
}
"""


class BareRoot:
    """bubblewrap over a directory: /app, /store, /state, the loader, /proc, /dev and /tmp; nothing else."""

    def __init__(self, sysroot: LoaderSysroot) -> None:
        require("bwrap")
        probe = subprocess.run(["bwrap", "--dev-bind", "/", "/", "true"], check=False, capture_output=True)
        if probe.returncode:
            pytest.skip(f"bubblewrap cannot make a namespace here: {os.fsdecode(probe.stderr).strip()}")
        self.sysroot = sysroot
        self.files = sysroot.root / "root"
        for name in ("app", "store/lib", "state", "lib64", "proc", "dev", "tmp"):
            (self.files / name).mkdir(parents=True)
        shutil.copy(HOST_LDSO.resolve(), self.files / "store" / "ld.so")
        for library in sysroot.system("libc.so.6", "libm.so.6"):
            shutil.copy(library.resolve(), self.files / "store" / "lib" / library.name)
        sysroot.configure(LoaderSettings(directories=(b"/state",)))
        shutil.copy(sysroot.loader, self.files / HOST_LDSO.relative_to("/"))

    def add(self, name: str, source: str, *flags: str) -> str:
        """A program as any distribution links it, with a decision."""
        made = self.sysroot.compile(name, source, "-lm", "-Wl,--no-as-needed", *flags, interpreter=False)
        program = Path(shutil.copy2(made, self.files / "app" / name))
        libraries = tuple(
            DecisionLibrary(b"/store/lib/" + soname, soname) for soname in (b"libm.so.6", b"libc.so.6")
        )
        path = self.sysroot.decide(
            program, libraries, ldso=b"/store/ld.so", search=b"/store/lib", objects=(b"/store/lib",)
        )
        for decision in path.parent.iterdir():
            shutil.copy(decision, self.files / "state")
        return f"/app/{name}"

    def run(self, *command: str, binds: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        # The root is bound writable: a read-only one is the next test's.
        return subprocess.run(
            ["bwrap", "--unshare-all", "--bind", self.files, "/", "--proc", "/proc", "--dev", "/dev", *binds,
             "--clearenv", *command],
            capture_output=True, text=True, check=False, timeout=TIMEOUT,
        )  # fmt: skip


@pytest.fixture
def bare(sysroot: LoaderSysroot) -> BareRoot:
    return BareRoot(sysroot)


def test_a_program_starts_where_nothing_is(bare: BareRoot) -> None:
    program = bare.add("say", _PROGRAM)
    done = bare.run(program)
    assert (done.stdout, done.stderr) == (f"{program} alone -1\n", "")


def test_a_foreign_child_starts_too(bare: BareRoot) -> None:
    first, second = bare.add("first", _PROGRAM), bare.add("second", _PROGRAM, "-no-pie")
    assert bare.run(first, "child", second).stdout == f"{second} of -1\n"


def test_an_undecided_child_says_so(bare: BareRoot) -> None:
    first = bare.add("first", _PROGRAM)
    shutil.copy(
        bare.sysroot.compile("other", _PROGRAM, "-s", interpreter=False), bare.files / "app" / "other"
    )
    done = bare.run(first, "child", "/app/other")
    assert done.returncode == 127
    assert "denizen: cannot start /app/other: it has no decision yet; it needs libc.so.6" in done.stderr


def test_a_read_only_store_is_enough(bare: BareRoot) -> None:
    program = bare.add("say", _PROGRAM)
    store = (
        "--ro-bind",
        str(bare.files / "store"),
        "/store",
        "--ro-bind",
        str(bare.files / "state"),
        "/state",
    )
    assert bare.run(program, binds=store).returncode == 0


def test_without_proc_the_name_it_was_started_by_serves(bare: BareRoot) -> None:
    program = bare.add("say", "int main() { return 7; }")
    done = subprocess.run(
        ["bwrap", "--unshare-all", "--bind", bare.files, "/", "--clearenv", program],
        capture_output=True, text=True, check=False, timeout=TIMEOUT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (7, "")


def test_a_linker_on_a_file_system_mounted_noexec_is_named(sysroot: LoaderSysroot) -> None:
    require("unshare", "mount")
    program = sysroot.compile("say", "int main() { return 0; }")
    place = sysroot.root / "noexec"
    place.mkdir()
    sysroot.decide(program, sysroot.system("libc.so.6"), ldso=bytes(place / "ld.so"))
    script = f"mount -t tmpfs -o noexec none {place} && cp {sysroot.ldso} {place}/ld.so && exec {program}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert done.returncode == 127
    assert f"{place}/ld.so cannot be started: a segment cannot be mapped" in done.stderr
    assert "noexec" in done.stderr


def test_the_loader_covers_the_hosts_linker_and_both_kinds_run(bare: BareRoot) -> None:
    """The strategy namespace: the host's own linker bound elsewhere, the loader over its path."""
    sysroot = bare.sysroot
    host = sysroot.root / "host-ld.so"
    shutil.copy(HOST_LDSO.resolve(), host)
    sysroot.configure(LoaderSettings(directories=(bytes(sysroot.decisions),), host_ldso=bytes(host)))
    foreign = sysroot.compile("foreign", _PROGRAM, "-lm", "-Wl,--no-as-needed", interpreter=False)
    sysroot.decide(foreign, sysroot.system("libm.so.6", "libc.so.6"))
    over: list[str | Path] = ["bwrap", "--dev-bind", "/", "/", "--bind", sysroot.loader, HOST_LDSO.resolve()]
    cases: list[tuple[list[str | Path], str]] = [
        ([foreign], f"{foreign} alone 0\n"),
        (["/bin/echo", "host"], "host\n"),
        (["/bin/sh", "-c", f"{foreign} x; /bin/echo host"], f"{foreign} x 0\nhost\n"),
    ]
    for command, expected in cases:
        done = subprocess.run([*over, *command], capture_output=True, text=True, check=False, timeout=TIMEOUT)
        assert (done.stdout, done.stderr) == (expected, "")
