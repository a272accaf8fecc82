"""`denizen run`: programs that cannot be started, and the reason that is told."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow


def test_a_soname_nobody_has_is_told_with_the_true_reason(home: DenizenHome) -> None:
    library = home.work / "libnobody.so.7"
    subprocess.run(
        ["gcc", "-shared", "-Wl,-soname,libnobody.so.7", "-x", "c", "-", "-o", library],
        input=b"int nobody;",
        check=True,
    )
    program = home.compile("wants", "extern int nobody; int main() { return nobody; }\n", os.fspath(library))
    library.unlink()
    done = home.denizen("run", os.fspath(program), status=126)
    assert "libnobody.so.7" in done.stderr
    for form in ((), ("--json",)):
        assert "libnobody.so.7" in home.denizen("run", "--plan", *form, os.fspath(program), status=1).stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("word", "status"), [("./nothing-here", 127), ("no-such-command", 127), ("/", 126), ("/etc/passwd", 126)]
)
def test_what_is_no_program_is_said_so(home: DenizenHome, word: str, status: int) -> None:
    done = home.denizen("run", word, status=status)
    assert done.stderr.startswith("denizen: ")
    assert "Traceback" not in done.stderr


def test_a_strategy_that_cannot_be_is_refused_with_its_reason(home: DenizenHome, program: Path) -> None:
    done = home.denizen("run", "--strategy", "host", os.fspath(program), status=126)
    assert "library-missing" in done.stderr


def test_a_script_whose_interpreter_nobody_has_is_told_so(home: DenizenHome) -> None:
    script = home.work / "strange"
    script.write_text("#!/opt/strange/interpreter\n")
    script.chmod(0o755)
    plan = json.loads(home.denizen("run", "--json", "--plan", os.fspath(script)).stdout)
    assert plan["strategy"]["chosen"] == "fhs"
    done = home.denizen("run", os.fspath(script), status=126)
    assert "no package has /opt/strange/interpreter" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""), ("text.py", b"print(1)\n"), ("archive.jar", b"PK\3\4" + bytes(60)),
        ("cut", b"\x7fELF\2\1\1"),
        ("long", b"#!/" + b"x" * 300 + b"/sh\n"), ("lost", b"#!/no/such/interpreter\n"),
        ("another", b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xb7\0" + bytes(44)), ("data", bytes(range(256))),
    ],
)  # fmt: skip
def test_what_cannot_be_started_ends_with_126(home: DenizenHome, name: str, content: bytes) -> None:
    """A shell's 126: found, and not executable."""
    program = home.work / name
    program.write_bytes(content)
    program.chmod(0o755)
    assert "Traceback" not in home.denizen("run", os.fspath(program), status=126).stderr
    program.chmod(0o644)
    home.denizen("run", os.fspath(program), status=126)
