"""Programs of this system, which were linked by others: the same bytes come out as natively."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.elf.image import read
from denizen.launch.decisions.load_list import libraries_of
from denizen.launch.loader.loader_settings import LoaderSettings
from denizen.launch.strategies.entry_stub import apply_plan, plan_stub
from denizen.linker import Environment, resolve
from tests.support.compiled_loaders import HOST_LDSO, TIMEOUT, LoaderSysroot, compile_loader

# Every so many of /usr/bin; 1 for all of them (SYSTEM_PROGRAMS=1, two minutes).
_EVERY = int(os.environ.get("SYSTEM_PROGRAMS", "12"))
# They ask the terminal, or never end, or show what their children say in any order, or are nothing but the
# program that they start, about which nothing is decided here.
_LEFT_OUT = {
    "chage", "chfn", "chsh", "dash", "dialog", "expiry", "gpasswd", "groff", "login", "newgrp",
    "nix-daemon", "passwd", "reset", "script", "sg", "sh", "su", "top", "tset", "watch", "yes",
}  # fmt: skip
_STARTERS = re.compile(r".*gcc-(ar|nm|ranlib)(-\d+)?")
_CHANGING = re.compile(rb":\d+\): (\S+) \*\*: [\d:.]+")  # GLib's process number and time


def programs() -> list[Path]:
    """Dynamic x86-64 programs of /usr/bin, a share of them."""
    found = []
    for path in sorted(Path("/usr/bin").iterdir()):
        if path.is_symlink() or path.name in _LEFT_OUT or _STARTERS.fullmatch(path.name):
            continue
        if not os.access(path, os.R_OK | os.X_OK):
            continue
        with path.open("rb") as stream:
            if stream.read(4) == b"\x7fELF":
                found.append(path)
    return [path for path in found if read(path.read_bytes()).interpreter == bytes(HOST_LDSO)][::_EVERY]


def version(command: Sequence[str | Path]) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [*command, "--version"], capture_output=True, check=False, timeout=TIMEOUT, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, _CHANGING.sub(b"", done.stderr)


def decide(sysroot: LoaderSysroot, program: Path, **changes: object) -> None:
    environment = Environment(interpreter_path=bytes(HOST_LDSO))
    libraries = libraries_of(resolve(DiskView(), bytes(program), environment))
    sysroot.decide(program, libraries, search=b"/lib/x86_64-linux-gnu", **changes)


@pytest.mark.slow
def test_they_start_where_the_loader_covers_the_hosts_linker(sysroot: LoaderSysroot) -> None:
    bwrap = ["bwrap", "--dev-bind", "/", "/"]
    if shutil.which("bwrap") is None or subprocess.run([*bwrap, "true"], check=False).returncode:
        pytest.skip("bubblewrap cannot make a namespace here")
    found = programs()
    for program in found:
        decide(sysroot, program)
    covered: list[str | Path] = [*bwrap, "--bind", sysroot.loader, HOST_LDSO.resolve()]
    different = [path for path in found if version([*bwrap, path]) != version([*covered, path])]
    assert found
    assert different == []


@pytest.mark.slow
def test_they_start_as_patched_copies_with_the_library_inside(sysroot: LoaderSysroot) -> None:
    inside = compile_loader(sysroot.root / "denizen-inside")
    sysroot.configure(LoaderSettings(directories=(bytes(sysroot.decisions),), inside=bytes(inside)))
    found = programs()
    for program in found:
        copy = Path(shutil.copy(program, sysroot.root / program.name))
        native = version([copy])
        content = copy.read_bytes()
        plan = plan_stub(read(content), bytes(sysroot.loader))
        copy.write_bytes(apply_plan(content, plan))
        decide(sysroot, copy, edits=plan.restores, shown=bytes(copy))
        assert version([copy]) == native, (program, plan.rule)
        copy.unlink()
    assert found
