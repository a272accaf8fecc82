"""Each linker rule, built with gcc and put to the real dynamic linker and the model side by side."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.linker import Closure, Environment, LinkerStart, bind, read_interpreter, resolve
from denizen.value import replace
from tests.linker.rules import binding, glibc_files, glibc_paths, i386, musl, order
from tests.support import dynamic_linkers, linker_cases
from tests.support.peers import require

pytestmark = [pytest.mark.slow, pytest.mark.peer]

GLIBC_CASES = (
    *glibc_paths.PATHS, *glibc_paths.TOKENS, *glibc_files.NAMES, *glibc_files.FILES,
    *order.ORDER, *order.HWCAPS, *binding.SYMBOLS,
)  # fmt: skip


def named(case: linker_cases.Case) -> str:
    return case.name


@pytest.mark.parametrize("case", GLIBC_CASES, ids=named)
def test_glibc(case: linker_cases.Case, tmp_path: Path) -> None:
    require("gcc", dynamic_linkers.GLIBC_64)
    compare_glibc(case, tmp_path, dynamic_linkers.GLIBC_64, "-m64")


@pytest.mark.parametrize("case", i386.CASES, ids=named)
def test_glibc_on_i386(case: linker_cases.Case, tmp_path: Path) -> None:
    require("gcc", dynamic_linkers.GLIBC_32)
    compare_glibc(case, tmp_path, dynamic_linkers.GLIBC_32, "-m32")


@pytest.mark.parametrize("case", musl.CASES, ids=named)
def test_musl(case: linker_cases.Case, tmp_path: Path) -> None:
    require("gcc", dynamic_linkers.MUSL_64)
    linker_cases.build(case, tmp_path, f"-Wl,--dynamic-linker={dynamic_linkers.MUSL_64}")
    closure = resolve(
        DiskView(), program_of(case, tmp_path), environment_of(case, tmp_path, dynamic_linkers.MUSL_64)
    )
    expected_rules(case, closure, tmp_path)
    found, missing = list_with_musl(case, tmp_path)
    own = ("interpreter", "built-in")
    mine = [
        (os.fsdecode(entry.soname), dynamic_linkers.shown(entry.path), entry.rule)
        for entry in closure.libraries
    ]
    assert found == [(name, path) for name, path, rule in mine if rule is not None and rule.name not in own]
    assert missing == [name for name, path, _ in mine if path is None]


def compare_glibc(case: linker_cases.Case, root: Path, loader: str, *flags: str) -> None:
    for name, content in binding.SOURCES.items():
        (root / name).write_text(content)
    linker_cases.build(case, root, *flags)
    environment = environment_of(case, root, loader)
    closure = resolve(DiskView(), program_of(case, root), environment)
    expected_rules(case, closure, root)
    real = run_real(case, root, loader)
    if case.failure is not None:
        assert any(case.failure in line for line in real.rest), real
        assert closure.failures[0].reason.value == case.failure
        # It names the file by its path while opening it and by its name while mapping it.
        assert os.path.basename(os.fsdecode(closure.failures[0].path)) in " ".join(real.rest)
        return
    bound = bind(closure)
    assert dynamic_linkers.listed(closure) == real.libraries
    assert dynamic_linkers.undefined(bound) == real.undefined
    assert dynamic_linkers.versions(bound) == real.versions
    assert dynamic_linkers.unversioned(bound) == real.unversioned
    assert real.rest == []


def expected_rules(case: linker_cases.Case, closure: Closure, root: Path) -> None:
    """The case says what it is about, so that it cannot pass by testing nothing."""
    rules = {
        os.fsdecode(entry.soname): entry.rule.name if entry.rule else None for entry in closure.libraries
    }
    expected = {name.replace("$ROOT", str(root)): rule for name, rule in case.expect.items()}
    assert {name: rules.get(name, "not listed") for name in expected} == expected


def run_real(case: linker_cases.Case, root: Path, loader: str) -> dynamic_linkers.Listing:
    program = os.fsdecode(program_of(case, root))
    command = [program] if case.start == "execve" else [loader, *case.options, program]
    trace = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "yes", "LD_BIND_NOW": "yes"}
    done = subprocess.run(
        command, cwd=root / case.directory, env=variables_of(case, root) | trace, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return dynamic_linkers.parse(done.stdout + done.stderr, done.returncode)


def list_with_musl(case: linker_cases.Case, root: Path) -> tuple[list[tuple[str, str | None]], list[str]]:
    """(libraries but musl itself, names it did not find)."""
    done = subprocess.run(
        [dynamic_linkers.MUSL_64, "--list", os.fsdecode(program_of(case, root))],
        cwd=root / case.directory, env=variables_of(case, root), capture_output=True, text=True, check=False,
    )  # fmt: skip
    listing = dynamic_linkers.parse(done.stdout, done.returncode)
    found = [entry for entry in listing.libraries if entry[1] != dynamic_linkers.MUSL_64]
    prefix = "Error loading shared library "
    missing = [line[len(prefix) :].partition(":")[0] for line in done.stderr.splitlines() if prefix in line]
    return found, missing


def environment_of(case: linker_cases.Case, root: Path, loader: str) -> Environment:
    variables = variables_of(case, root)
    environment = replace(
        dynamic_linkers.environment_of(loader),
        library_path=os.fsencode(variables["LD_LIBRARY_PATH"]) if "LD_LIBRARY_PATH" in variables else None,
        preload=os.fsencode(variables["LD_PRELOAD"]) if "LD_PRELOAD" in variables else None,
        directory=os.fsencode(root / case.directory),
        start=LinkerStart.KERNEL if case.start == "execve" else LinkerStart.INTERPRETER,
    )
    if "--inhibit-cache" not in case.options:
        return environment
    interpreter = read_interpreter(DiskView(), loader.encode())
    assert interpreter is not None
    return replace(environment, interpreter=replace(interpreter, cache=b"/nonexistent"))


def variables_of(case: linker_cases.Case, root: Path) -> dict[str, str]:
    return {name: value.replace("$ROOT", str(root)) for name, value in case.variables.items()}


def program_of(case: linker_cases.Case, root: Path) -> bytes:
    return os.fsencode(root / case.program)
