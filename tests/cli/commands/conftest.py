"""A denizen root and a program of its packages, for the tests of `denizen run`."""

from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def program(home: DenizenHome) -> Path:
    return home.compile("greet")
