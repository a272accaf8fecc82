"""Interpreter and run path of 1,500 system files changed, by `denizen patch`'s code and by patchelf.

Claims (issue 17): all of ours are loaded as before (`ld.so --list`, and executables print the same version
when started), and a file takes less of patchelf's time, verified, in one process; patchelf is started for
each file, as it must be, and its start counts. "with ld.so" is all that the command does, which lets the
host's ld.so load each new file. All change 50 files in turn, which are in memory before. The
programs of tests/support/patch_cases.py are changed by both as well, and stripped, and so are the cases of
tests/support/patch_reports.py. Programs of the system run in a sandbox of bubblewrap: system read-only, no
network.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support import table
from denizen.app.relocate.patch_program import PatchRequest, patch
from denizen.app.relocate.rewrite_file import READ_UP_TO, WHOLE_FILES, write_patched
from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.errors import BadInput
from denizen.file_content import whole
from denizen.host import machine_name
from denizen.machines import interpreter_of_kernel
from denizen.relocate.patch_changes import Changes
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.verify_patch import verify_patch
from tests.support.patch_cases import EXPECTED, FORMS, Bench, Form
from tests.support.patch_reports import REPORTS, built, denizen, outcome, patchelf, patchelf_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.relocate.file_edits import FilePlan

    Behaviour = tuple[int, list[bytes], bytes, tuple[int, bytes] | None]

COUNT = 1500
_IN_TURN = 50
_WHERE = (b"/usr/bin", b"/usr/sbin", b"/usr/lib", b"/usr/libexec")
_PROGRAMS = (b"/usr/bin/", b"/usr/sbin/")
_LINKER = interpreter_of_kernel(machine_name())
_MORE = b"/opt/a/long/directory/of/libraries/lib:/opt/" + b"another" * 12
_VIEW = DiskView()
# A program that prints its version does so in a tenth of a second; others wait for input or for a display.
_PATIENCE = 5
# What differs is compared so often again: groff's version is printed by several processes, in any order.
_AGAIN = 3
_ADDRESS = re.compile(rb" \(0x[0-9a-f]+\)")
# Numbers of processes and addresses, which differ from start to start.
_CHANGING = re.compile(rb"0x[0-9a-f]+|\d{3,}")
# In memory: the disk would take most of the time of both.
_DIRECTORY = "/dev/shm"  # a directory of its own is made in it


@dataclass
class Tally:
    """What one of the two did to all files."""

    change: Callable[[bytes, bytes, Changes], None]
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    growth: list[int] = field(default_factory=list)


def main() -> None:
    tallies = {"denizen": Tally(ours), "patchelf": Tally(theirs)}
    timed = tallies | {"unverified": Tally(unverified), "with ld.so": Tally(command)}
    files = elf_files()
    print(f"{len(files)} files of the system, and patchelf {peer_version(peer())}")
    with tempfile.TemporaryDirectory(dir=_DIRECTORY) as directory:
        link = Path(directory, "linker" * 12)
        link.symlink_to(os.fsdecode(_LINKER))
        # Others who use the machine may remove a program meanwhile.
        asked = [(path, changes_for(path, os.fsencode(link))) for path in files if os.path.exists(path)]
        for at in range(0, len(asked), _IN_TURN):
            for name, tally in timed.items():
                group = asked[at : at + _IN_TURN]
                time_all(name, tally, group, os.path.join(os.fsencode(directory), b"out"))
        for path, wanted in asked:
            compare_all(path, wanted, Path(directory), tallies)
    report(timed)
    for show in (report_forms, report_reports):
        with tempfile.TemporaryDirectory() as directory:
            show(Path(directory))


def time_all(name: str, tally: Tally, asked: list[tuple[bytes, Changes]], out: bytes) -> None:
    """Change all files one after the other; nothing else runs in between."""
    for path, wanted in asked:
        used, before = processor_time(), time.perf_counter()
        try:
            tally.change(path, out, wanted)
            seconds = time.perf_counter() - before
            used = processor_time() - used
        except FileNotFoundError:
            continue
        except (BadInput, subprocess.CalledProcessError) as problem:
            tally.outcomes["refused"] += 1
            print(name, "refused", os.fsdecode(path), problem)
            continue
        tally.seconds.append(seconds)
        tally.processor.append(used)
        tally.growth.append(os.path.getsize(out) - os.path.getsize(path))
        os.unlink(out)


def processor_time() -> float:
    """The seconds of CPU of this process and of those it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def compare_all(path: bytes, wanted: Changes, directory: Path, tallies: dict[str, Tally]) -> None:
    expected = behaviour(path, path, directory)
    out = os.path.join(os.fsencode(directory), os.path.basename(path))
    for name, tally in tallies.items():
        try:
            tally.change(path, out, wanted)
        except (BadInput, subprocess.CalledProcessError, FileNotFoundError):
            continue
        difference = compared(expected, behaviour(out, path, directory))
        for _ in range(_AGAIN):
            if difference:
                difference = compared(behaviour(path, path, directory), behaviour(out, path, directory))
        tally.outcomes["differ" if difference else "equal"] += 1
        if difference:
            print(name, os.fsdecode(path), difference)
        os.unlink(out)


def report(tallies: dict[str, Tally]) -> None:
    rows = [["", "equal", "differ", "refused", "median ms", "s in all", "of CPU", "", "bytes more", ""]]
    rows.append(["", "", "", "", "", "", "median ms", "s in all", "median", "mean"])
    for name, tally in tallies.items():
        counts = [f"{tally.outcomes[key]}" for key in ("equal", "differ", "refused")]
        times = [
            figure
            for column in (tally.seconds, tally.processor)
            for figure in (f"{statistics.median(column) * 1000:.2f}", f"{sum(column):.1f}")
        ]
        more = tally.growth
        rows.append(
            [name, *counts, *times, f"{statistics.median(more):,.0f}", f"{statistics.mean(more):,.0f}"]
        )
    print(table(rows))
    their = tallies["patchelf"]
    for name in ("denizen", "unverified", "with ld.so"):
        own = tallies[name]
        figures = [
            f"{kind(theirs) / kind(ours):.1f}"
            for theirs, ours in ((their.seconds, own.seconds), (their.processor, own.processor))
            for kind in (statistics.median, sum)
        ]
        print(
            f"patchelf takes {figures[0]} times as long as {name} for a file (median), {figures[1]} for all; "
            f"{figures[2]} and {figures[3]} times as much of the processor"
        )


def report_reports(directory: Path) -> None:
    """What becomes of each reported case, by ours and by each patchelf that there is."""
    programs = [one for one in dict.fromkeys([peer(), "/usr/bin/patchelf"]) if shutil.which(one)]
    peers = {peer_version(one): patchelf(one) for one in programs}
    patchers = {"denizen": denizen} | {f"patchelf {version}": patcher for version, patcher in peers.items()}
    rows = [["report", *patchers]]
    for number, one in enumerate(REPORTS):
        (directory / str(number)).mkdir()
        bench = Bench(directory / str(number))
        program = built(one, bench)
        if program is not None:
            rows.append([one.name, *(outcome(one, bench, program, each) for each in patchers.values())])
    print(table(rows))


def report_forms(directory: Path) -> None:
    """Both on programs of the forms that stand for reports, before and after strip(1)."""
    rows = [["form", "reports", "denizen", "stripped", "patchelf", "stripped"]]
    for number, form in enumerate(FORMS):
        (directory / str(number)).mkdir()
        bench = Bench(directory / str(number))
        program = bench.build(form)
        if program is None or bench.run(program) != EXPECTED:
            continue
        cells = [cell for change in (ours, theirs) for cell in form_outcomes(bench, program, form, change)]
        rows.append([form.name, " ".join(f"#{one}" for one in form.numbers), *cells])
    print(table(rows))


def form_outcomes(
    bench: Bench, program: Path, form: Form, change: Callable[[bytes, bytes, Changes], None]
) -> tuple[str, str]:
    out = bench.directory / "out"
    needed = ((b"libcalled.so", b"libcalled-by-another-name.so"),)
    shutil.copy(bench.other / "libcalled.so", bench.other / "libcalled-by-another-name.so")
    run_path = b"/nowhere:" + os.fsencode(bench.other)
    wanted = Changes(os.fsencode(bench.linker(program)), run_path, replace_needed=needed)
    try:
        change(os.fsencode(program), os.fsencode(out), wanted)
    except (BadInput, subprocess.CalledProcessError):
        return "refused", ""
    first = "runs" if bench.run(out) == EXPECTED else "broken"
    if form.finish is not None:
        return first, "-"
    subprocess.run(["strip", out], capture_output=True, check=False)
    return first, "runs" if bench.run(out) == EXPECTED else "broken"


def elf_files() -> list[bytes]:
    """Dynamic programs and libraries of the system, the same choice each time."""
    found: dict[tuple[int, int], bytes] = {}
    for base, _, names in (row for where in _WHERE for row in os.walk(where)):
        for path in (os.path.join(base, name) for name in names):
            if not os.path.islink(path) and os.access(path, os.R_OK) and is_native(path):
                found[os.stat(path).st_dev, os.stat(path).st_ino] = path
    files = sorted(found.values())
    random.Random(17).shuffle(files)  # no secret
    return files[:COUNT]


def is_native(path: bytes) -> bool:
    with open(path, "rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return False
    try:
        image = read(_VIEW.read(path))
        machine, dynamic = image.header.architecture, image.dynamic
    except BadInput:
        return False  # a separate file of debugging information
    # A copy elsewhere cannot load what it names by its own place.
    beside = dynamic is None or any(b"$ORIGIN" in name for name in dynamic.needed)
    return machine is not None and machine_name() in machine.kernels and not beside


def changes_for(path: bytes, linker: bytes) -> Changes:
    # Read as a whole: no tool's time is the disk's.
    image = read(Path(os.fsdecode(path)).read_bytes())
    dynamic = image.dynamic
    assert dynamic is not None
    own = dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    home = os.path.dirname(path)
    kept = [
        one.replace(b"$ORIGIN", home).replace(b"${ORIGIN}", home) for one in (own or b"").split(b":") if one
    ]
    return Changes(
        linker if image.interpreter is not None else None,
        b":".join([*kept, _MORE]),
        force_rpath=dynamic.runpath is None and own is not None,
    )


def ours(path: bytes, out: bytes, wanted: Changes) -> None:
    """Read, plan, write, read again and verify."""
    image, plan, new = _written(path, out, wanted)
    verify_patch(image, new, plan, wanted)


def command(path: bytes, out: bytes, wanted: Changes) -> None:
    """What `denizen patch -o` does: also have the host's ld.so load the new file."""
    patch(PatchRequest(path, out, wanted))


def unverified(path: bytes, out: bytes, wanted: Changes) -> None:
    """What patchelf does: read, plan and write."""
    _written(path, out, wanted)


def _written(path: bytes, out: bytes, wanted: Changes) -> tuple[Image, FilePlan, Buffer]:
    buffer = WHOLE_FILES.read(path)
    image = read(buffer)
    plan = plan_patch(image, wanted)
    # With the mode and without the fsync of patchelf.
    descriptor = os.open(out, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o777)
    try:
        write_patched(descriptor, buffer, plan, synced=False)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return image, plan, whole(descriptor, os.fstat(descriptor).st_size, READ_UP_TO)
    finally:
        os.close(descriptor)


def peer() -> str:
    """The patchelf of this Python's environment, else the system's."""
    own = Path(sys.executable).parent / "patchelf"
    return os.fspath(own) if own.exists() else shutil.which("patchelf") or "patchelf"


def peer_version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def theirs(path: bytes, out: bytes, wanted: Changes) -> None:
    words = [peer(), *patchelf_words(wanted), "--output", out, path]
    subprocess.run(words, check=True, capture_output=True)


def behaviour(path: bytes, original: bytes, directory: Path) -> Behaviour:
    """What ld.so lists, and what the program prints as its version."""
    listed = subprocess.run([_LINKER, b"--list", path], capture_output=True, env={}, check=False)
    lines = [_ADDRESS.sub(b"", line).strip() for line in listed.stdout.splitlines()]
    libraries = sorted(line for line in lines if not line.endswith(_LINKER))
    started = version(path, original, directory) if original.startswith(_PROGRAMS) else None
    return listed.returncode, libraries, listed.stderr.replace(path, b""), started


def version(path: bytes, original: bytes, directory: Path) -> tuple[int, bytes] | None:
    """The status and the text, at the path by which many programs find their files; None where it hangs."""
    own = os.fsdecode(os.path.realpath(original))
    sandbox = [
        "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/root", "--tmpfs",
        "/home", "--ro-bind", str(directory), str(directory), "--ro-bind", os.fsdecode(path), own,
        "--unshare-all", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir",
        "/root", os.fsdecode(original), "--version",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            sandbox, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode, _CHANGING.sub(b"", (done.stdout + done.stderr).replace(path, original))


def compared(expected: Behaviour, found: Behaviour) -> str:
    parts = ("status of ld.so", "libraries", "complaints of ld.so", "version printed")
    return ", ".join(name for name, one, other in zip(parts, expected, found, strict=True) if one != other)
