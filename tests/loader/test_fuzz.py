"""The loader's readers of foreign files under sanitizers, with mutated programs."""

import subprocess
from pathlib import Path

import pytest

from tests.support.elf_rewriting import at_the_end, with_second_interpreter
from tests.support.peers import require

ROOT = Path(__file__).parent.parent.parent
RUNS = 2_000
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1", "-w")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("seeds")
    program = place / "program"
    command = ["gcc", "-x", "c", "-", "-Wl,--dynamic-linker=/nowhere/ld.so", "-o", str(program)]
    subprocess.run(command, input=b"int main() { return 0; }", check=True)
    content = program.read_bytes()
    rewritten = {
        "end": at_the_end(content),
        "twice": with_second_interpreter(content),
        "script": b"#!/bin/sh -e\n",
        "env": b"#!/usr/bin/env python3\n",
    }
    for name, made in rewritten.items():
        (place / name).write_bytes(made)
    return sorted(place.iterdir())


@pytest.mark.parametrize("name", ["headers", "children"])
def test_a_mutated_file_is_taken_or_refused(name: str, seeds: list[Path], tmp_path: Path) -> None:
    require("gcc")
    harness, loader = tmp_path / name, ROOT / "loader"
    includes = [f"-I{loader}", f"-I{loader / 'inside'}"]
    text, config = tmp_path / "text.o", loader / "config.c"
    # Its fail() ends the process; the harness has one that comes back.
    _compile("-Dfail=unused", "-c", loader / "text.c", "-o", text, *includes)
    _compile(ROOT / "fuzz" / "loader" / f"{name}.c", text, config, "-o", harness, *includes)
    done = subprocess.run([harness, str(RUNS), *seeds], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    runs, taken = map(int, done.stdout.split())
    assert runs == RUNS
    assert 0 < taken < runs


def _compile(*words: str | Path) -> None:
    subprocess.run(["gcc", *SANITIZED, *words], check=True)
