"""Files that a bundle takes from an environment, by the rules of fhs_rules.toml."""

import os
from pathlib import Path

import pytest

from denizen.app.bundles import fhs_rule_files as module
from denizen.app.bundles.fhs_rule_files import RuleFiles, wanted_files
from denizen.app.bundles.further_programs import unpack_packed
from denizen.disk_view import DiskView
from denizen.errors import HostLacks
from denizen.launch.program import open_program
from tests.support.command_context import context_of
from tests.support.elf_builder import Elf, build

_CONFIG = "/usr/lib/x86_64-linux-gnu/graphviz/config6a"


class _NoNamespaces(HostLacks):
    WHAT = "no namespaces"


def _program(directory: Path, name: str, appended: bytes = b"") -> bytes:
    path = directory / name
    path.write_bytes(build(Elf()) + appended)
    return os.fsencode(path)


def test_what_a_rule_names_is_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "tree" / _CONFIG[1:]
    made.parent.mkdir(parents=True)
    (made.parent / "libplugin_there.so.6").touch()
    made.write_text(
        "# plugins\nlibplugin_there.so.6 core {\nlibplugin_elsewhere.so.6 other {\nlibplugin_there.so.60 {"
    )
    asked = []

    def environment(_: object, packages: tuple[str, ...], *, offline: bool) -> bytes:
        asked.append((packages, offline))
        return os.fsencode(tmp_path / "tree")

    monkeypatch.setattr(module, "_environment", environment)
    session = context_of({}, os.fspath(tmp_path)).session
    dot = open_program(DiskView(), _program(tmp_path, "dot"))
    assert wanted_files(session, dot, offline=True) == RuleFiles(
        {_CONFIG.encode(): os.fsencode(made)}, (os.fsencode(made.parent / "libplugin_there.so.6"),)
    )
    assert asked == [(("graphviz",), True)]
    # A sandbox shows a whole root; files alone are of no use to it.
    bwrap = open_program(DiskView(), _program(tmp_path, "bwrap"))
    assert wanted_files(session, bwrap, offline=True) == RuleFiles({})
    assert len(asked) == 1


def test_a_host_that_makes_no_environment_bundles_without_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def environment(*_: object, **__: object) -> bytes:
        raise _NoNamespaces

    monkeypatch.setattr(module, "_environment", environment)
    session = context_of({}, os.fspath(tmp_path)).session
    dot = open_program(DiskView(), _program(tmp_path, "dot"))
    assert wanted_files(session, dot, offline=True) == RuleFiles({})
    assert f"without {_CONFIG}: no namespaces" in capsys.readouterr().err


def test_a_damaged_archive_is_no_obstacle(tmp_path: Path) -> None:
    broken = b"PK\3\4" + bytes(40) + b"PK\5\6" + b"\xff" * 18
    program = open_program(DiskView(), _program(tmp_path, "packed", broken))
    assert program.image is not None
    assert program.image.payload is not None
    assert program.image.payload.kind == "zip"
    unpack_packed(program, os.fsencode(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
