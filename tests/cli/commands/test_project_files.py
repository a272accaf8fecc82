"""A project's file that is found by going up: never one that another user planted there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from denizen.app.project_file import development_file, project_file
from denizen.cli.dispatch import dispatch
from denizen.trust import Untrusted
from tests.support.generated_trees import NOBODY

PROJECT = '[fhs]\npackages = ["none"]\nprofile = "touch planted"\n[develop]\npackages = ["none"]\n'
RECIPE = 'name = "planted"\nversion = "1"\n'


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, two below the one in which the files are planted."""
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return place


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("find", "files", "planted"),
    [
        (project_file, {"denizen.toml": PROJECT}, "denizen.toml"),
        (project_file, {"denizen.toml": PROJECT, "denizen.lock": ""}, "denizen.lock"),
        (development_file, {"denizen.toml": PROJECT}, "denizen.toml"),
        (development_file, {"recipe.toml": RECIPE}, "recipe.toml"),
        (development_file, {"recipe.toml": RECIPE, "denizen.lock": ""}, "denizen.lock"),
    ],
)
def test_what_another_user_planted_above_is_not_used(
    below: Path, tmp_path: Path, find: Callable[[str], str], files: dict[str, str], planted: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert find(str(below)) == str(tmp_path / next(iter(files)))
    os.chown(tmp_path / planted, NOBODY, NOBODY)
    with pytest.raises(Untrusted) as caught:
        find(str(below))
    assert caught.value.path == os.fsencode(tmp_path / planted)
    assert "if you trust who wrote it: --" in caught.value.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_commands_refuse_it_unless_it_is_named(
    below: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = tmp_path / "denizen.toml"
    planted.write_text(PROJECT)
    os.chown(planted, NOBODY, NOBODY)
    root = ["--root", str(tmp_path / "root")]
    for words in (["shell", "true"], ["sync"], ["develop", "true"]):
        assert dispatch([*root, *words]) == 125
        assert f"{planted} is not used" in capsys.readouterr().err
    assert not (below / "planted").exists()
    planted.write_text("[fhs]\npackages = 1\n")
    dispatch([*root, "shell", "--file", str(planted), "true"])
    assert "packages is a list of texts" in capsys.readouterr().err
