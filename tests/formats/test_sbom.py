"""Bills of materials, held to the validators of their own projects."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.formats.sbom import SbomComponent, cyclonedx, spdx

_PROGRAM = SbomComponent("jq", sha256="0" * 64)
_LIBC = SbomComponent(
    "libc6",
    "1:2.41-12+deb13u4~x",
    "amd64",
    "1" * 64,
    "trixie",
    ("LGPL-2.1+", "GPL-2+ or Artistic"),
    ("libc.so.6",),
)
_PLAIN = SbomComponent("libstdc++6", "14.2", "amd64", "2" * 64)


def test_a_cyclonedx_document_is_valid_by_the_schema() -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    text = json.dumps(cyclonedx(_PROGRAM, [_LIBC, _PLAIN], "1.0"))
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text) is None


def test_an_spdx_document_is_valid_by_the_projects_own_tool() -> None:
    parser = pytest.importorskip("spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser")
    validator = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    document = parser.JsonLikeDictParser().parse(spdx(_PROGRAM, [_LIBC, _PLAIN], "1.0"))
    assert validator.validate_full_spdx_document(document) == []


def test_package_urls_are_read_back_by_the_reference_implementation() -> None:
    packageurl = pytest.importorskip("packageurl")
    found = packageurl.PackageURL.from_string(_LIBC.purl)
    assert (found.type, found.namespace, found.name, found.version) == (
        "deb",
        "debian",
        "libc6",
        _LIBC.version,
    )
    assert found.qualifiers == {"arch": "amd64", "distro": "trixie"}
    assert packageurl.PackageURL.from_string(_PLAIN.purl).name == "libstdc++6"


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_names_of_any_letters_give_documents_that_json_holds(name: str, licences: list[str]) -> None:
    one = SbomComponent(name, "1", "amd64", "3" * 64, "", tuple(licences))
    for document in (cyclonedx(one, [_LIBC], "1"), spdx(one, [_LIBC], "1")):
        assert json.loads(json.dumps(document)) == document


def test_the_same_components_give_the_same_document() -> None:
    assert cyclonedx(_PROGRAM, [_LIBC], "1") == cyclonedx(_PROGRAM, [_LIBC], "1")
    other = cyclonedx(_PROGRAM, [_PLAIN], "1")
    assert other["serialNumber"] != cyclonedx(_PROGRAM, [_LIBC], "1")["serialNumber"]
