"""One compiled loader for all tests, one world for each."""

from pathlib import Path

import pytest

from tests.support.compiled_loaders import World, compile_loader


@pytest.fixture(scope="session")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loader(tmp_path_factory.mktemp("loader") / "denizen-loader")


@pytest.fixture
def world(tmp_path: Path, loader: Path) -> World:
    return World(tmp_path, loader)
