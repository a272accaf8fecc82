"""What start-up may not import: the costs are in value.py and pyproject.toml."""

import subprocess
import sys

import pytest

# Measured beside a `python3 -c pass` of 13 ms: dataclasses 19 ms, typing 13, argparse 16, re 8.
HEAVY = {
    "dataclasses",
    "inspect",
    "typing",
    "argparse",
    "re",
    "rich",
    "pathlib",
    "subprocess",
    "urllib.request",
}


def imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "statement",
    [
        "sys.argv = ['denizen', '--version']; from denizen.cli.main import main; main()",
        "import denizen.value, denizen.errors, denizen.bytesio, denizen.fileview, denizen.disk, denizen.elf",
    ],
)
def test_a_start_up_path_imports_nothing_heavy(statement: str) -> None:
    assert imported_by(statement) & HEAVY == set()


def test_the_check_notices_a_heavy_import() -> None:
    assert "dataclasses" in imported_by("import dataclasses")
