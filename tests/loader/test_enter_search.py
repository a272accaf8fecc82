"""denizen-enter's `search` and `default`, variables that are otherwise the caller's; and `given`."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.launch.loader.binaries import enter_path

pytestmark = pytest.mark.skipif(
    not os.path.exists(enter_path(os.uname().machine)), reason="denizen-enter is not compiled"
)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("/opt/bin", "/opt/bin:/usr/bin"),
        ("/opt/bin:", "/opt/bin::/usr/bin"),
        ("", ":/usr/bin"),
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        ("/x:/usr/bin", "/x:/usr/bin"),
        ("/usr/bin/x:/usr/binx", "/usr/bin/x:/usr/binx:/usr/bin"),
        ("/" + "x" * 20_000, "/" + "x" * 20_000),
    ],
)
def test_a_path_that_lacks_it_gets_it_at_its_end(given: str, seen: str) -> None:
    assert _environment({"A": "1", "PATH": given, "PATHS": "2"}) == ["A=1", f"PATH={seen}", "PATHS=2"]


def test_without_a_path_none_is_set() -> None:
    assert _environment({"A": "1"}) == ["A=1"]


def test_several_directories_follow_each_other() -> None:
    several = ("search", "/usr/sbin", "search", "/usr/bin")
    assert _environment({"PATH": "/x"}, *several) == ["PATH=/x:/usr/sbin:/usr/bin"]


@pytest.mark.parametrize("given", [{}, {"TZDI": "1", "TZDIRS": "2"}])
def test_a_variable_gets_its_default(given: dict[str, str]) -> None:
    seen = _environment(given, "default", "TZDIR=/a=b")
    assert seen == [*(f"{name}={value}" for name, value in given.items()), "TZDIR=/a=b"]


@pytest.mark.parametrize("value", ["", "/mine"])
def test_a_variable_that_the_caller_has_set_stays(value: str) -> None:
    assert _environment({"TZDIR": value}, "default", "TZDIR=/a") == [f"TZDIR={value}"]


def test_an_interpreter_is_called_by_its_own_name_and_given_a_path() -> None:
    """As the kernel calls one of binfmt_misc; the name by which the program was called is dropped."""
    plan = ("as", "/bin/sh", "given", "/dev/stdin")
    words = [enter_path(os.uname().machine), *plan, "--", "called", "a", "b"]
    done = subprocess.run(
        words,
        input='echo "$0 $*"; tr "\\0" " " </proc/$$/cmdline',
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "/dev/stdin a b\n/bin/sh /dev/stdin a b "


def _environment(given: dict[str, str], *operations: str) -> list[str]:
    operations = operations or ("search", "/usr/bin")
    words = [enter_path(os.uname().machine), *operations, "--", "/usr/bin/env"]
    assert Path(words[-1]).exists()
    return subprocess.run(words, env=given, capture_output=True, text=True, check=True).stdout.splitlines()
