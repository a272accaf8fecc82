"""`denizen sbom`: the packages of a program, an environment or a profile as a document."""

import json
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.elf_builder import Elf, build
from tests.support.fhs_environments import FhsHome
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


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> FhsHome:
    made = FhsHome(tmp_path_factory.mktemp("composed"))
    licence = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
    licence += b"Files: *\nCopyright: nobody\nLicense: MIT\n"
    script = Item("./usr/bin/greet", content=b"#!/bin/sh\necho hello\n", mode=0o755)
    made.add("greet", [script, Item("./usr/share/doc/greet/copyright", content=licence)])
    made.denizen("fhs", "create", "work", "greet")
    program = tmp_path_factory.mktemp("program") / "static"
    program.write_bytes(build(Elf(entry=0x1000)))
    program.chmod(0o755)
    made.denizen("install", "greet", program)
    return made


@pytest.mark.parametrize(("subject", "kind"), [("env:work", "container"), ("profile:profile", "platform")])
def test_an_environment_and_a_profile_are_described_validly(
    composed: FhsHome, subject: str, kind: str
) -> None:
    text = composed.denizen("sbom", subject).stdout
    json_schema = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = json_schema.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["type"] == kind
    found = {one["name"]: one for one in document["components"]}
    assert found["greet"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert found["greet"]["purl"].startswith("pkg:deb/debian/greet@1?arch=amd64")
    assert len(found["greet"]["hashes"][0]["content"]) == 64
    assert ("coreutils" in found, "static" in found) == ((kind == "container"), (kind == "platform"))
    parser = pytest.importorskip("spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser")
    rules = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    spdx = json.loads(composed.denizen("sbom", subject, "--format", "spdx").stdout)
    assert rules.validate_full_spdx_document(parser.JsonLikeDictParser().parse(spdx)) == []
    assert {one["name"] for one in spdx["packages"]} == {*found, subject.partition(":")[2]}
