"""Reports of files that patchelf and its like corrupted, each as a case: a file, and what was asked.

The texts are those of the projects' public issues; where a report names a file that cannot be had, the case
is a program with the trait that the report finds at fault. The same case is given to `denizen patch` and to
patchelf.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import pack_into
from typing import TypeAlias

from denizen.app.relocate.patch_program import PatchRequest, patch
from denizen.elf import read
from denizen.errors import BadInput
from denizen.relocate.patch_changes import Changes
from denizen.value import replace
from tests.support.patch_cases import EXPECTED, Bench, Form, drop_sections

OUTCOMES = ("right", "broken", "refused", "crashed")
_LONG = b"/nowhere/" + b"directory/" * 30
_DETOUR = b"/lib64/../lib64/"
_SPACE = b"\4\0\0\0\xa0\x0f\0\0\1\0\0\0Spc\0"
_PLAIN = """
#include <stdio.h>
int main(void) { return puts("hello") < 0; }
"""
_OPENING = """
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
    void *library = dlopen("libcalled.so", RTLD_NOW);
    int (*called)(int) = library ? (int (*)(int))dlsym(library, "called") : 0;
    return called ? printf("%d\\n", called(1)) != 3 : 1;
}
"""


class Refused(Exception):
    """The tool says that it cannot do it."""


class Crashed(Exception):
    """The tool was ended by a signal."""


@dataclass(frozen=True)
class Asked:
    """One start of the tool."""

    changes: Changes
    shrink: bool = False


Patcher: TypeAlias = Callable[[Path, Asked], None]
Step: TypeAlias = Callable[[Bench, Path], Asked]


@dataclass(frozen=True)
class Report:
    """A report, and the case that stands for it.

    Attributes:
        name: the issue.
        said: what it says, in short.
        form: how the program is made.
        steps: what is asked of the tool, one start each.
        after: a command that is run on the patched file.
        library: the program's library is patched, not the program.
        source: the program's source, where it is not the usual one.
        same_length: nothing but the interpreter's path may change.
        tools: programs that making the file needs, besides the compiler.
    """

    name: str
    said: str
    form: Form
    steps: tuple[Step, ...]
    after: tuple[str, ...] = ()
    library: bool = False
    source: str = ""
    same_length: bool = False
    tools: tuple[str, ...] = ()


def outcome(report: Report, bench: Bench, program: Path, patcher: Patcher) -> str:
    """What becomes of a program that `built` has made: one of OUTCOMES."""
    original = bench.first / "libcalled.so" if report.library else program
    target = bench.directory / "patched"
    shutil.copy(original, target)
    asked = Asked(Changes())
    try:
        for step in report.steps:
            asked = step(bench, program)
            patcher(target, asked)
    except Refused:
        return "refused"
    except Crashed:
        return "crashed"
    if report.after:
        subprocess.run([*report.after, target], capture_output=True, check=False)
    right = _is_as_asked(target, asked.changes) and _is_right(report, bench, original, target)
    return "right" if right else "broken"


def built(report: Report, bench: Bench) -> Path | None:
    """The program, working; None where it cannot be made or does not run here."""
    if report.source:
        (bench.directory / "program.c").write_text(report.source)
    program = bench.build(report.form)
    return program if program is not None and _runs(report, bench, program) else None


def denizen(path: Path, asked: Asked) -> None:
    """`denizen patch --in-place`."""
    name = os.fsencode(path)
    try:
        patch(PatchRequest(name, name, asked.changes, shrink_run_path=asked.shrink))
    except BadInput as problem:
        raise Refused(problem.what) from problem


def patchelf(program: str) -> Patcher:
    """A patchelf."""

    def run(path: Path, asked: Asked) -> None:
        words = [program, *patchelf_words(asked.changes), *(["--shrink-rpath"] if asked.shrink else []), path]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode < 0:
            raise Crashed(signal.Signals(-done.returncode).name)
        if done.returncode:
            raise Refused(done.stderr)

    return run


def patchelf_words(changes: Changes) -> list[bytes | str]:
    """The options of patchelf for the same changes."""
    words: list[bytes | str] = []
    for option, value in (
        ("--set-interpreter", changes.interpreter),
        ("--set-rpath", changes.run_path),
        ("--set-soname", changes.soname),
    ):
        words += [option, value] if value is not None else []
    words += ["--force-rpath"] if changes.force_rpath else []
    words += ["--no-default-lib"] if changes.no_default_lib else []
    for name in changes.remove_needed:
        words += ["--remove-needed", name]
    for old, new in changes.replace_needed:
        words += ["--replace-needed", old, new]
    for name in changes.add_needed:
        words += ["--add-needed", name]
    return words


def sections_ahead(path: Path) -> None:
    """Put the section headers into the note made for them, as Go's linker has them ahead of the code."""
    content = bytearray(path.read_bytes())
    header = read(bytes(content)).header
    at = content.index(_SPACE) + len(_SPACE)
    table = content[header.shoff : header.shoff + header.shnum * header.shentsize]
    content[at : at + len(table)] = table
    pack_into("<Q", content, 40, at)
    path.write_bytes(content[: header.shoff])


def patched_before(path: Path) -> None:
    """Let patchelf give the file a long run path, which moves its program headers' neighbours."""
    dynamic = read(path.read_bytes()).dynamic
    assert dynamic is not None
    longer = (dynamic.runpath or b"") + b":" + _LONG
    subprocess.run(["patchelf", "--set-rpath", longer, path], capture_output=True, check=True)


def _runs(report: Report, bench: Bench, program: Path) -> bool:
    if report.source:
        return subprocess.run([program], env={}, capture_output=True, check=False).returncode == 0
    return bench.run(program) == EXPECTED


def _is_as_asked(target: Path, changes: Changes) -> bool:
    try:
        image = read(target.read_bytes())
        dynamic, interpreter = image.dynamic, image.interpreter
    except BadInput:
        return False
    assert dynamic is not None
    path = dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    wanted = (changes.interpreter, interpreter), (changes.run_path, path)
    return all(asked is None or asked == found for asked, found in wanted)


def _is_right(report: Report, bench: Bench, original: Path, target: Path) -> bool:
    if report.library:
        kept = original.read_bytes()
        try:
            shutil.copy(target, original)
            return _runs(report, bench, bench.directory / "program")
        finally:
            original.write_bytes(kept)
    if report.same_length and not _differs_in_interpreter_alone(original, target):
        return False
    return _runs(report, bench, target)


def _differs_in_interpreter_alone(original: Path, target: Path) -> bool:
    old, new = original.read_bytes(), bytearray(target.read_bytes())
    row = read(old).first_rows[3]
    new[row.offset : row.offset + row.file_size] = old[row.offset : row.offset + row.file_size]
    return bytes(new) == old


def _longer(bench: Bench, _: Path) -> Asked:
    return Asked(Changes(run_path=_LONG + b":" + os.fsencode(bench.other)))


def _forced(_: Bench, __: Path) -> Asked:
    return Asked(Changes(run_path=b"$ORIGIN", force_rpath=True))


def _interpreter(bench: Bench, program: Path) -> Asked:
    return Asked(Changes(interpreter=os.fsencode(bench.linker(program))))


def _both(bench: Bench, program: Path) -> Asked:
    return Asked(replace(_longer(bench, program).changes, interpreter=os.fsencode(bench.linker(program))))


def _as_long(_: Bench, program: Path) -> Asked:
    """The same interpreter by another path with as many bytes."""
    name = read(program.read_bytes()).interpreter
    assert name is not None
    return Asked(Changes(interpreter=name.replace(_DETOUR, b"/lib64/./././///")))


def _replaced(bench: Bench, program: Path) -> Asked:
    shutil.copy(bench.other / "libcalled.so", bench.other / "libcalled-by-another-name.so")
    replaced = ((b"libcalled.so", b"libcalled-by-another-name.so"),)
    return Asked(replace(_both(bench, program).changes, replace_needed=replaced))


def _added(bench: Bench, program: Path) -> Asked:
    return Asked(replace(_longer(bench, program).changes, add_needed=(b"libm.so.6", b"libdl.so.2")))


def _no_default_lib(_: Bench, __: Path) -> Asked:
    return Asked(Changes(no_default_lib=True))


def _three_at_once(__: Bench, program: Path) -> Asked:
    """Names of about the report's lengths: with others the assertion holds."""
    name = read(program.read_bytes()).interpreter
    assert name is not None
    directory, _, base = name.rpartition(b"/")
    return Asked(Changes(directory + b"/." * 7 + b"/" + base, _SYSTEM.encode(), no_default_lib=True))


def _shrunk(_: Bench, __: Path) -> Asked:
    return Asked(Changes(), shrink=True)


def _directory_of_libc() -> str:
    """Where this process has its C library from: a distribution's own place for libraries."""
    maps = Path("/proc/self/maps").read_text().split()
    return next((os.path.dirname(word) for word in maps if word.endswith("/libc.so.6")), "/lib")


_FIXED = Form("at a fixed address", ("-no-pie",))
_DETOURED = f"-Wl,--dynamic-linker={_DETOUR.decode()}ld-linux-x86-64.so.2"
_NO_SPARE = "-Wl,--spare-dynamic-tags=0"
# Libraries of the system are found by the run path, where the default directories are not searched.
_SYSTEM = _directory_of_libc()

REPORTS = (
    Report(
        "NixOS/patchelf#10", "strip(1) after a longer run path breaks the program", _FIXED, (_longer,),
        after=("strip",),
    ),
    Report(
        "NixOS/patchelf#66", "Go's programs, whose section headers are ahead of the code, are refused",
        Form("section headers ahead", ("-no-pie", "-DSPACE"), finish=sections_ahead), (_interpreter,),
    ),
    Report(
        "NixOS/patchelf#146", "a dynamic section that grows comes to read-only memory",
        Form("no spare entries", ("-no-pie", _NO_SPARE), run_path=False), (_longer,), source=_PLAIN,
    ),
    Report(
        "NixOS/patchelf#152", "the same, in a program of Go and C: ld.so dies when it writes DT_DEBUG",
        Form("no spare entries, position independent", (_NO_SPARE,), run_path=False), (_longer,),
        source=_PLAIN,
    ),
    Report(
        "NixOS/patchelf#193", "a library replaced and a run path set in one go: the wrong names", _FIXED,
        (_replaced,),
    ),
    Report(
        "NixOS/patchelf#239", "a library dies in relocation after its run path was set",
        Form("bound at start", library=("-Wl,-z,now,-z,noseparate-code",)), (_forced,), library=True,
    ),
    Report(
        "NixOS/patchelf#250", "i386: ld.so asserts on the hash table after interpreter and run path",
        Form("i386", ("-m32",)), (_both,),
    ),
    Report(
        "NixOS/patchelf#265", "--shrink-rpath drops directories that dlopen(3) needs",
        Form("opens a library", ("-Wl,--as-needed",)), (_shrunk,), source=_OPENING,
    ),
    Report(
        "NixOS/patchelf#364", "an interpreter as long as the old one changes all of the file (MIPS)",
        Form("a path with detours", ("-no-pie", _DETOURED)), (_as_long,), same_length=True,
    ),
    Report(
        "NixOS/patchelf#371", "strip -g after --no-default-lib breaks the program",
        Form("no spare entries", (_NO_SPARE, f"-Wl,-rpath,{_SYSTEM}")), (_no_default_lib,),
        after=("strip", "-g"),
    ),
    Report("NixOS/patchelf#446", "dies at start after the run path was set", _FIXED, (_longer,)),
    Report(
        "NixOS/patchelf#507", "llvm-strip after a run path was set breaks any program",
        Form("position independent"), (_longer,), after=("llvm-strip",),
    ),
    Report(
        "NixOS/patchelf#528", "segments aligned to 2 MiB: the new one's address and offset do not agree",
        Form("aligned to 2 MiB", library=("-Wl,-z,max-page-size=0x200000",)), (_longer,), library=True,
    ),
    Report(
        "NixOS/patchelf#569", "a file without section headers is refused",
        Form("without section headers", finish=drop_sections), (_both,),
    ),
    Report(
        "NixOS/patchelf#583", "--no-default-lib, interpreter and run path at once: an assertion",
        Form("no run path", ("-no-pie",), run_path=False), (_three_at_once,), source=_PLAIN,
    ),
    Report(
        "NixOS/patchelf#585", "i386: dies at start after interpreter and run path were set",
        Form("i386 at a fixed address", ("-m32", "-no-pie")), (_both,),
    ),
    Report(
        "XinShuichen/sopacker#1", "i386: first the interpreter, then the run path breaks it",
        Form("i386 at a fixed address", ("-m32", "-no-pie")), (_interpreter, _longer),
    ),
    Report(
        "Homebrew/patchelf.rb#15", "a file that patchelf had patched before dies when patched again",
        Form("patched before", ("-no-pie",), finish=patched_before), (_both,), tools=("patchelf",),
    ),
)  # fmt: skip
