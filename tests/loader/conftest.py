"""One compiled loader for all tests, one sysroot for each."""

from pathlib import Path

import pytest

from tests.support.compiled_loaders import LoaderSysroot, compile_loader


@pytest.fixture(scope="session")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loader(tmp_path_factory.mktemp("loader") / "denizen-loader")


@pytest.fixture
def sysroot(tmp_path: Path, loader: Path) -> LoaderSysroot:
    return LoaderSysroot(tmp_path, loader)
