"""`denizen build`."""

from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch


def test_a_directory_without_a_recipe_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dispatch(["build", "--root", str(tmp_path / "root")]) == 125
    assert "recipe.toml cannot be read" in capsys.readouterr().err


def test_a_recipe_that_is_wrong_is_told_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.toml").write_text('name = "a"\n')
    assert dispatch(["build", "--root", str(tmp_path / "root"), str(tmp_path)]) == 125
    assert "name and version are needed" in capsys.readouterr().err
    assert not (tmp_path / "root").exists()


def test_a_file_outside_of_the_recipe_is_refused_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'name = "a"\nversion = "1"\n[[sources]]\npath = "/etc/hostname"\n'
    (tmp_path / "recipe.toml").write_text(text)
    for command in (["build", str(tmp_path)], ["develop", "--recipe", str(tmp_path)]):
        assert dispatch([*command, "--root", str(tmp_path / "root")]) == 125
        said = capsys.readouterr().err
        assert "takes /etc/hostname, which is not below its directory" in said
        assert "--allow-path /etc/hostname" in said
    assert not (tmp_path / "root").exists()


def test_a_store_that_build_systems_cannot_name_is_refused_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.toml").write_text('name = "a"\nversion = "1"\n')
    root = tmp_path / "my root"
    assert dispatch(["build", "--root", str(root), str(tmp_path)]) == 125
    said = capsys.readouterr().err
    assert f"no recipe can be built in the store {root}/data/store\n  its name has ' '" in said
    assert not root.exists()
