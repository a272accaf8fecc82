"""A home, a loader installed for it, and a program under each strategy."""

import os
from pathlib import Path

import pytest

from tests.contract.strategies.started import FACTS, STRATEGIES, Started
from tests.support.offline_roots import DenizenHome


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("strategies"))


@pytest.fixture(scope="module")
def prefix(home: DenizenHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a loader is installed that finds this home's decisions."""
    place = tmp_path_factory.mktemp("prefix")
    home.denizen("loader", "install", "--prefix", os.fspath(place))
    return place


@pytest.fixture(scope="module", params=STRATEGIES)
def started(request: pytest.FixtureRequest, home: DenizenHome, prefix: Path) -> Started:
    return Started(home, request.param, prefix)


@pytest.fixture(scope="module")
def program(started: Started) -> Path:
    made = started.compile("facts", FACTS)
    # The first start decides, and says so.
    assert started.run(made, "exit", "0").returncode == 0
    return made


@pytest.fixture(scope="module")
def foreign(started: Started, program: Path) -> Path:
    """Another program that needs what this host has not, first started by one that was started so."""
    made = started.compile(f"child-{program.name}", FACTS)
    # Its first start decides, and says so.
    assert started.run(program, "execv", os.fspath(made), "x", "exit", "3").returncode == 3
    return made


@pytest.fixture(scope="module")
def late(home: DenizenHome) -> Path:
    """A library that a package has, and nothing that is decided about needs."""
    made = home.add_library("late", "int late(void) { return 6; }")
    home.set_up("index", "update", "--suite", "debian")
    return made
