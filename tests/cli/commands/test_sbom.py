"""`denizen sbom`: the packages of a program as a document."""

import json
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("sbom"))


def test_packages_and_used_libraries_are_named(home: DenizenHome) -> None:
    program = home.compile("described")
    document = json.loads(home.denizen("sbom", str(program)).stdout)
    found = {one["name"]: one for one in document["components"]}
    assert set(found) == {"libc6", "libgreet1"}
    assert found["libgreet1"]["properties"] == [{"name": "denizen:soname", "value": "libgreet.so.1"}]
    assert document["metadata"]["component"]["name"] == "described"


def test_spdx_is_written_to_a_file(home: DenizenHome, tmp_path: Path) -> None:
    program, target = home.compile("described"), tmp_path / "x.spdx.json"
    home.denizen("sbom", str(program), "--format", "spdx", "-o", str(target))
    document = json.loads(target.read_text())
    assert document["spdxVersion"] == "SPDX-2.3"
    assert [one["name"] for one in document["packages"]] == ["described", "libc6", "libgreet1"]
