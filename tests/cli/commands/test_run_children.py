"""`denizen run`: foreign programs that the program starts."""

import os
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow


def test_a_foreign_child_runs_too(home: DenizenHome) -> None:
    child = home.compile("child", "int greeting(); int main() { greeting(); return 5; }\n")
    parent = home.compile(
        "parent",
        "#include <stdlib.h>\n#include <sys/wait.h>\nint greeting();\n"
        f'int main() {{ greeting(); return WEXITSTATUS(system("{child}")); }}\n',
    )
    home.denizen("run", os.fspath(parent), status=5)


def test_a_foreign_child_of_a_locked_program_runs_too(home: DenizenHome, tmp_path: Path) -> None:
    """The lock says nothing of the child, which is decided about without it."""
    child = home.compile("locked-child", "int greeting(); int main() { greeting(); return 5; }\n")
    parent = home.compile(
        "locked-parent",
        "#include <stdlib.h>\n#include <sys/wait.h>\nint greeting();\n"
        f'int main() {{ greeting(); return WEXITSTATUS(system("{child}")); }}\n',
    )
    lock = tmp_path / "parent.lock"
    home.denizen("lock", os.fspath(parent), "-o", os.fspath(lock))
    home.denizen("run", "--lock", os.fspath(lock), os.fspath(parent), status=5)


def test_a_script_starts_foreign_programs(home: DenizenHome, program: Path) -> None:
    script = home.work / "wrapper"
    script.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
    script.chmod(0o755)
    done = home.denizen("run", os.fspath(script), "x")
    assert done.stdout.splitlines() == ["hello from the store", f"[{program}]", "[x]"]


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!/usr/bin/env -S sh -e", "#!/usr/bin/env bash"])
def test_without_a_namespace_a_script_starts_foreign_programs_too(
    home: DenizenHome, program: Path, first: str
) -> None:
    script = home.work / f"wrapper-{len(first)}"
    script.write_text(f'{first}\n"{program}" "$@"; "{program}" again; exit 3\n')
    script.chmod(0o755)
    done = home.denizen("run", "--strategy", "direct", os.fspath(script), "x", status=3)
    greeting = ["hello from the store", f"[{program}]"]
    assert done.stdout.splitlines() == [*greeting, "[x]", *greeting, "[again]"]
