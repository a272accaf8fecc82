"""Software bills of materials as JSON: CycloneDX 1.6 and SPDX 2.3 (pure).

Specifications: cyclonedx.org, JSON reference 1.6 (ECMA-424); spdx.github.io/spdx-spec/v2.3; purl-spec, type
deb. Documents carry no time and no random number, so that the same components give the same bytes: serial
number and namespace are derived from the content.
"""

from __future__ import annotations

import re
import uuid

from denizen.formats.percent import percent_encoded
from denizen.sha256 import digest_of, hex_digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]")
# No time is told: that of the packages is their snapshot's, and the same input is to give the same bytes.
_CREATED = "1970-01-01T00:00:00Z"


def _quoted(text: str) -> str:
    """Return text as a part of a package URL; purl-spec leaves the colon as it is."""
    return percent_encoded(text.encode("utf-8", "surrogateescape"), b":")


class SbomComponent(Value):
    """One component.

    Attributes:
        name, version, architecture: of the package; "" where there is none.
        sha256: of the package's file, in hex.
        suite: where it was found.
        licences: short names by its copyright file.
        files: the names of its libraries that are used.
        kind: by CycloneDX's name.
    """

    name: str
    version: str = ""
    architecture: str = ""
    sha256: str = ""
    suite: str = ""
    licences: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    kind: str = "library"

    @property
    def purl(self) -> str:
        """The package URL; "" for what is no package."""
        if not self.version:
            return ""
        qualifiers = [("arch", self.architecture), ("distro", self.suite)]
        query = "&".join(f"{key}={_quoted(text)}" for key, text in qualifiers if text)
        return f"pkg:deb/debian/{_quoted(self.name)}@{_quoted(self.version)}?{query}"

    @property
    def reference(self) -> str:
        """The identifier of the component within a document."""
        return self.purl or f"file:{self.name}"


def cyclonedx(program: SbomComponent, components: Sequence[SbomComponent], tool: str) -> dict[str, object]:
    """Return a CycloneDX 1.6 document about a program, or what is like one, and what it depends on."""
    references = [one.reference for one in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_uuid(program, components)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "denizen", "version": tool}]},
            "component": _cyclonedx_component(program),
        },
        "components": [_cyclonedx_component(one) for one in components],
        "dependencies": [
            {"ref": program.reference, "dependsOn": references},
            *({"ref": reference} for reference in references),
        ],
    }


def _cyclonedx_component(one: SbomComponent) -> dict[str, object]:
    found: dict[str, object] = {"type": one.kind, "bom-ref": one.reference, "name": one.name}
    if one.version:
        found |= {"version": one.version, "purl": one.purl}
    if one.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    if one.licences:
        found["licenses"] = [{"license": {"name": name}} for name in one.licences]
    if one.files:
        found["properties"] = [{"name": "denizen:soname", "value": name} for name in one.files]
    return found


def spdx(program: SbomComponent, components: Sequence[SbomComponent], tool: str) -> dict[str, object]:
    """Return an SPDX 2.3 document about a program, or what is like one, and what it depends on."""
    everything = (program, *components)
    extracted = {name: _licence_id(name) for one in everything for name in one.licences}
    root = _spdx_id(program)
    document: dict[str, object] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": program.name,
        "documentNamespace": f"urn:uuid:{_uuid(program, components)}",
        "creationInfo": {"created": _CREATED, "creators": [f"Tool: denizen-{tool}"]},
        "packages": [_spdx_package(one) for one in everything],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", root),
            *(_relation(root, "DEPENDS_ON", _spdx_id(one)) for one in components),
        ],
    }
    if extracted:
        document["hasExtractedLicensingInfos"] = [
            {"licenseId": number, "name": name, "extractedText": f"{name}, by the package's copyright file"}
            for name, number in extracted.items()
        ]
    return document


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _spdx_package(one: SbomComponent) -> dict[str, object]:
    declared = " AND ".join(map(_licence_id, one.licences)) or "NOASSERTION"
    found: dict[str, object] = {
        "SPDXID": _spdx_id(one),
        "name": one.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": declared,
        "copyrightText": "NOASSERTION",
    }
    if one.version:
        found["versionInfo"] = one.version
        reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
        found["externalRefs"] = [{**reference, "referenceLocator": one.purl}]
    if one.sha256:
        found["checksums"] = [{"algorithm": "SHA256", "checksumValue": one.sha256}]
    return found


def _spdx_id(one: SbomComponent) -> str:
    digest = hex_digest_of(one.reference.encode("utf-8", "surrogateescape"))[:12]
    return f"SPDXRef-{_NOT_IN_ID.sub('-', one.name)}-{digest}"


def _licence_id(name: str) -> str:
    """Return an identifier of a licence by Debian's name, whose names are not always SPDX's."""
    digest = hex_digest_of(name.encode("utf-8", "surrogateescape"))[:8]
    return f"LicenseRef-{_NOT_IN_ID.sub('-', name)[:60]}-{digest}"


def _uuid(program: SbomComponent, components: Sequence[SbomComponent]) -> uuid.UUID:
    text = repr((program, *components)).encode("utf-8", "surrogateescape")
    return uuid.UUID(bytes=digest_of(text)[:16], version=4)
