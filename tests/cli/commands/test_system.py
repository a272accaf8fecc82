"""`denizen system` as a user has it: a package in a target, the plan, both forms of output, errors."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.offline_roots import DenizenHome

SPEC = """
name = "box"
packages = ["tool"]
[etc.motd]
text = "%s"
[etc.notice]
package = "tool"
path = "usr/share/doc/*/notice"
"""
_SOURCE = 'int puts(const char *); int main(void) { puts("a tool"); return 3; }'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    home = DenizenHome(tmp_path_factory.mktemp("system"))
    program, text = home.work / "tool", home.work / "tool.c"
    text.write_text(_SOURCE)
    subprocess.run(["gcc", "-w", "-static", "-o", program, text], check=True)
    items = [
        Item("./usr/bin/tool", content=program.read_bytes(), mode=0o755),
        Item("./usr/share/doc/tool/notice", content=b"free\n"),
    ]
    home.write("tool", items)
    return home


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def spec(target: Path, text: str) -> str:
    place = target.with_name("box.toml")
    place.write_text(text)
    return os.fspath(place)


def test_a_package_is_linked_and_files_are_switched(home: DenizenHome, target: Path) -> None:
    at = ("--target", os.fspath(target))
    home.set_up("index", "update")
    dry = json.loads(home.denizen("system", "dry-run", spec(target, SPEC % "one"), *at, "--json").stdout)
    assert dry["generation"] is None
    assert dry["etc"]["added"] == ["motd", "notice", "profile.d/denizen-system.sh"]
    assert not (target / "etc").exists()
    done = home.denizen("system", "switch", spec(target, SPEC % "one"), *at).stdout
    assert done.splitlines() == [
        "+ /etc/motd",
        "+ /etc/notice",
        "+ /etc/profile.d/denizen-system.sh",
        "generation 1",
    ]
    tool = target / "var/lib/denizen/profiles/system/sw/bin/tool"
    ran = subprocess.run([tool], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (3, "a tool\n")
    assert (target / "etc/notice").read_text() == "free\n"
    home.denizen("system", "switch", spec(target, SPEC % "two"), *at)
    assert home.denizen("system", "rollback", *at).stdout == "~ /etc/motd\ngeneration 1\n"
    rows = json.loads(home.denizen("system", "list", *at, "--json").stdout)
    assert [(one["generation"], one["default"], one["active"]) for one in rows] == [
        (1, True, True),
        (2, False, False),
    ]
    assert home.denizen("system", "delete-generations", "old", *at).stdout.startswith("deleted: 2")
    tree = json.loads(home.denizen("system", "build", spec(target, SPEC % "one"), *at, "--json").stdout)
    assert tree["tree"] == rows[0]["tree"]


def test_errors_say_what_is_wrong_and_change_nothing(home: DenizenHome, target: Path) -> None:
    at = ("--target", os.fspath(target))
    bad = home.denizen("system", "switch", spec(target, "[etc.'../x']\ntext = ''\n"), *at, status=125)
    assert "without empty, '.' and '..' components" in bad.stderr
    missing = home.denizen("system", "switch", os.fspath(target / "none.toml"), *at, status=125)
    assert "No such file" in missing.stderr
    number = home.denizen("system", "rollback", "first", *at, status=2)
    assert "is not a generation" in number.stderr
    empty = home.denizen("system", "list", *at)
    assert "there is no generation yet" in empty.stderr
    nowhere = home.denizen("system", "list", "--target", os.fspath(target / "nowhere"), status=125)
    assert "is not a directory" in nowhere.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="for root this machine's own system would be changed")
def test_an_ordinary_user_is_told_how_to_go_on(home: DenizenHome, target: Path) -> None:
    done = home.denizen("system", "switch", spec(target, ""), status=125)
    assert f"sudo denizen --root {home.root} system" in done.stderr
