"""Documents of OCI images."""

import hashlib
import json

from denizen.formats.oci_image import (
    LAYER,
    OciLayer,
    OciSettings,
    blob_of,
    image_digest,
    layout_files,
)

_LAYERS = tuple(
    OciLayer(blob_of(LAYER, text), text.hex() * 4, f"layer {text!r}") for text in (b"one", b"two")
)
_SETTINGS = OciSettings("amd64", ("/opt/x/x",), (), ("A=b",), (("title", "x"),), "1.0")


def test_each_document_is_found_by_its_digest() -> None:
    files = layout_files(_SETTINGS, _LAYERS)
    assert json.loads(files[b"oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files[b"index.json"])["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "1.0"}
    assert entry["platform"] == {"architecture": "amd64", "os": "linux"}
    content = files[b"blobs/sha256/" + entry["digest"].removeprefix("sha256:").encode()]
    assert (entry["size"], entry["digest"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    assert image_digest(files) == entry["digest"]
    manifest = json.loads(content)
    config = json.loads(
        files[b"blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:").encode()]
    )
    assert config["config"]["Entrypoint"] == ["/opt/x/x"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{one.diff_id}" for one in _LAYERS]
    assert [one["created_by"] for one in config["history"]] == ["layer b'one'", "layer b'two'"]
    assert [one["size"] for one in manifest["layers"]] == [3, 3]
    assert "Cmd" not in config["config"]


def test_every_setting_changes_the_digest() -> None:
    digest = image_digest(layout_files(_SETTINGS, _LAYERS))
    assert image_digest(layout_files(_SETTINGS, _LAYERS)) == digest
    others = [
        OciSettings("arm64"),
        OciSettings("amd64", ("/opt/x/x",)),
        OciSettings("amd64", command=("sh",)),
    ]
    assert len({digest, *(image_digest(layout_files(one, _LAYERS)) for one in others)}) == 4


def test_a_variant_is_part_of_the_platform() -> None:
    (entry,) = json.loads(layout_files(OciSettings("arm/v7"), ())[b"index.json"])["manifests"]
    assert entry["platform"] == {"architecture": "arm", "variant": "v7", "os": "linux"}
