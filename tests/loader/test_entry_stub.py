"""A patched copy starts without an interpreter at its path and without namespaces."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.elf.image import read
from denizen.launch.strategies.entry_stub import apply_plan, plan_stub
from tests.support.compiled_loaders import TIMEOUT, LoaderSysroot, run
from tests.support.elf_rewriting import with_second_interpreter

_SOURCE = """
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
extern char _start[];
int main(int argc, char **argv) {
    char path[4096], tail[8] = {0};
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
    FILE *self = fopen(path, "rb");
    fseek(self, -7, SEEK_END);
    fread(tail, 1, 7, self);
    printf("%s %s %d %s\\n", path, argv[argc - 1], getauxval(AT_ENTRY) == (unsigned long)_start, tail);
    return argc;
}
"""
_NOWHERE = "-Wl,--dynamic-linker=/nowhere/ld.so"
# lld's habit, and GNU ld's of old: nothing between code and the next part of the file.
_NO_SLACK = ("-Wl,-z,noseparate-code", "-Wl,-z,norelro")


def patched(sysroot: LoaderSysroot, program: Path) -> tuple[Path, str]:
    """A patched copy of the program with a payload, its decision, and the rule that was used."""
    with program.open("ab") as stream:
        stream.write(b"payload")
    content = program.read_bytes()
    plan = plan_stub(read(content), bytes(sysroot.loader))
    copy = program.with_name(f"{program.name}-patched")
    copy.write_bytes(apply_plan(content, plan))
    copy.chmod(0o755)
    sysroot.decide(copy, sysroot.system("libm.so.6", "libc.so.6"), edits=plan.restores)
    assert len(copy.read_bytes()) == len(content)
    return copy, plan.rule


@pytest.mark.parametrize(
    ("flags", "rule"),
    [((), "slack"), (("-no-pie",), "slack"), (_NO_SLACK, "entry"), ((*_NO_SLACK, "-no-pie"), "entry")],
)
def test_a_patched_copy_starts_and_finds_its_payload(
    sysroot: LoaderSysroot, flags: tuple[str, ...], rule: str
) -> None:
    # Enough code that an entry stub fits over it.
    more = "int f0(int x) { return x; }\n"
    more += "".join(f"int f{i}(int x) {{ return x * {i} + f0(x); }}\n" for i in range(1, 40))
    program = sysroot.compile("program", more + _SOURCE, "-lm", "-Wl,--no-as-needed", _NOWHERE, *flags)
    with pytest.raises(FileNotFoundError):
        run(program)
    copy, used = patched(sysroot, program)
    done = run(copy, "x")
    assert used == rule
    assert (done.stdout, done.stderr, done.returncode) == (f"{copy} x 1 payload\n", "", 2)


def test_a_patched_copy_needs_no_namespaces(sysroot: LoaderSysroot) -> None:
    copy, _ = patched(sysroot, sysroot.compile("program", _SOURCE, "-lm", "-Wl,--no-as-needed", _NOWHERE))
    script = f"echo 0 > /proc/sys/user/max_user_namespaces; ! unshare -U true 2>/dev/null && exec {copy} y"
    done = subprocess.run(
        ["unshare", "-rU", "--mount-proc", "-pf", "sh", "-c", script],
        capture_output=True, text=True, check=False, timeout=TIMEOUT,
    )  # fmt: skip
    if "rite error" in done.stderr or "ermission" in done.stderr or "not permitted" in done.stderr:
        pytest.skip(f"namespaces cannot be forbidden here: {done.stderr.strip()}")
    assert done.stdout == f"{copy} y 1 payload\n"


def test_a_patched_copy_without_its_loader_ends_with_127(sysroot: LoaderSysroot) -> None:
    copy, _ = patched(sysroot, sysroot.compile("program", _SOURCE, "-lm", "-Wl,--no-as-needed", _NOWHERE))
    sysroot.loader.unlink()
    assert run(copy).returncode == 127


def test_a_patched_copy_without_a_decision_says_so(sysroot: LoaderSysroot) -> None:
    copy, _ = patched(sysroot, sysroot.compile("program", _SOURCE, "-lm", "-Wl,--no-as-needed", _NOWHERE))
    for decision in sysroot.decisions.iterdir():
        decision.unlink()
    done = run(copy)
    assert done.returncode == 127
    assert f"cannot start {copy}: it has no decision yet; it needs lib" in done.stderr


def test_a_stub_leaves_no_descriptor_open(sysroot: LoaderSysroot) -> None:
    source = """
        #include <fcntl.h>
        int main() { int n = 0; for (int i = 3; i < 64; i++) n += fcntl(i, F_GETFD) >= 0; return n; }
        """
    copy, _ = patched(sysroot, sysroot.compile("program", source, "-lm", "-Wl,--no-as-needed", _NOWHERE))
    assert run(copy, env={"HOME": os.sep}).returncode == 0


def test_a_program_that_names_two_interpreters_is_started_without_either(sysroot: LoaderSysroot) -> None:
    """The kernel would take the one that is left."""
    program = sysroot.compile("twice", _SOURCE, "-lm", "-Wl,--no-as-needed", _NOWHERE)
    program.write_bytes(with_second_interpreter(program.read_bytes()))
    copy, _ = patched(sysroot, program)
    assert run(copy).returncode == 1
