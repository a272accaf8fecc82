"""What start-up may not import: the costs are in value.py and pyproject.toml."""

import subprocess
import sys

import pytest

# Measured beside a `python3 -c pass` of 13 ms: dataclasses 19 ms, typing 13, argparse 16, json 10 with re,
# enum 5, array 3, collections 2.5, operator 0.6.
HEAVY = {
    "array",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "json",
    "operator",
    "inspect",
    "typing",
    "argparse",
    "re",
    "rich",
    "pathlib",
    "subprocess",
    "urllib.request",
}


MAIN = "from denizen.cli.main import main; main()"


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
        f"sys.argv = ['denizen', '--version']; {MAIN}",
        "import denizen.value, denizen.errors, denizen.bytesio, denizen.fileview, denizen.disk, denizen.elf",
        f"sys.argv = ['denizen', 'why', '--host', '--json', '/bin/sh']; {MAIN}",
        "import denizen.cli.commands.find, denizen.app.supply.indexing",
        "import denizen.app.paths, denizen.index.locate",
    ],
)
def test_a_start_up_path_imports_nothing_heavy(statement: str) -> None:
    assert imported_by(statement) & HEAVY == set()


def test_the_check_notices_a_heavy_import() -> None:
    assert "dataclasses" in imported_by("import dataclasses")
