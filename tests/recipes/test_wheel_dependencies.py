"""What a wheel requires is found in the packages that it was built with."""

from pathlib import Path

import pytest

from denizen.recipes.wheel_dependencies import main, needed_directories


def distribution(directory: Path, name: str, *requires: str, egg: bool = False) -> str:
    """Write the metadata of a distribution into a directory; return that directory."""
    place = directory / (f"{name}-1.egg-info" if egg else f"{name}-1.dist-info")
    place.mkdir(parents=True)
    lines = [f"Requires-Dist: {one}" for one in requires]
    text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *lines])
    (place / ("PKG-INFO" if egg else "METADATA")).write_text(text + "\n")
    return str(directory)


def test_what_is_required_is_found_and_what_that_requires_and_nothing_else(tmp_path: Path) -> None:
    own = distribution(
        tmp_path / "own", "Word_Count", "Click>=8 ; python_version > '3'", "tests ; extra == 'dev'", "absent"
    )
    click = distribution(tmp_path / "click", "click", "Colour.Names (>=1)")
    colours = distribution(tmp_path / "colours", "colour_names", "click", egg=True)
    others = [distribution(tmp_path / name, name) for name in ("setuptools", "tests")]
    assert needed_directories(own, [*others, colours, click]) == (click, colours)


def test_a_distribution_that_requires_nothing_needs_no_package(tmp_path: Path) -> None:
    own = distribution(tmp_path / "own", "own")
    assert needed_directories(own, [distribution(tmp_path / "other", "other")]) == ()
    assert needed_directories(str(tmp_path / "nothing"), []) == ()


def test_packages_are_those_of_the_tree_that_have_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = distribution(tmp_path / "own", "own", "click")
    directory = distribution(tmp_path / "store/0-click/usr/lib/python3/dist-packages", "click")
    (tmp_path / "store/tree").mkdir()
    (tmp_path / "store/tree/packages").write_text("0-make\n0-click\n")
    monkeypatch.setenv("__denizenRoot", str(tmp_path / "store/tree"))
    assert main(own) == 0
    assert capsys.readouterr().out == f"{directory}\n"
