"""Documents of an OCI image: configuration, manifest, index and layout (pure).

Specification: github.com/opencontainers/image-spec v1.1 (config.md, manifest.md, image-index.md,
image-layout.md, annotations.md). Blobs are named by their SHA-256; a layer is a gzip'd tar archive, and its
`diff_id` the SHA-256 of the archive as it is. There is no time in the documents but 1970, so that the same
layers and settings give the same digests.
"""

from __future__ import annotations

from denizen.formats.indented_json import json_text
from denizen.sha256 import hex_digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYOUT_FILE = b"oci-layout"
INDEX_FILE = b"index.json"
BLOBS = b"blobs/sha256"
_CREATED = "1970-01-01T00:00:01Z"
_REFERENCE = "org.opencontainers.image.ref.name"


class OciBlob(Value):
    """A file of the layout: its media type, SHA-256 in hex, and size."""

    media_type: str
    digest: str
    size: int

    @property
    def descriptor(self) -> dict[str, object]:
        """The blob as other documents refer to it."""
        return {"mediaType": self.media_type, "digest": f"sha256:{self.digest}", "size": self.size}


class OciLayer(Value):
    """One layer.

    Attributes:
        diff_id: SHA-256 of the archive before it was compressed, in hex.
        created_by: what is in it, for people.
    """

    blob: OciBlob
    diff_id: str
    created_by: str


class OciSettings(Value):
    """The settings of an image.

    Attributes:
        architecture: by Go's name (GOARCH), with the variant behind a slash: `amd64`, `arm/v7`.
        entrypoint, command: words; () for none.
        environment: variables as `NAME=VALUE`.
        labels: of the image.
        reference: the tag by which the layout has it.
    """

    architecture: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    reference: str = "latest"


def blob_of(media_type: str, content: bytes) -> OciBlob:
    """Return the blob that content is."""
    return OciBlob(media_type, hex_digest_of(content), len(content))


def blob_name(digest: str) -> bytes:
    """Return the path of a blob in the layout."""
    return BLOBS + b"/" + digest.encode("ascii")


def layout_files(settings: OciSettings, layers: Sequence[OciLayer]) -> dict[bytes, bytes]:
    """Return the files of the layout but for the layers' blobs: path -> content."""
    config = _document(_config(settings, layers))
    manifest = _document(_manifest(settings, blob_of(CONFIG, config), layers))
    blob = blob_of(MANIFEST, manifest)
    platform = {**_architecture(settings), "os": "linux"}
    entry = {**blob.descriptor, "platform": platform, "annotations": {_REFERENCE: settings.reference}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    return {
        LAYOUT_FILE: _document({"imageLayoutVersion": "1.0.0"}),
        INDEX_FILE: _document(index),
        blob_name(blob_of(CONFIG, config).digest): config,
        blob_name(blob.digest): manifest,
    }


def image_digest(files: dict[bytes, bytes]) -> str:
    """Return the digest by which registries and engines name the image whose files these are."""
    return next(
        "sha256:" + path.rpartition(b"/")[2].decode("ascii")
        for path, content in files.items()
        if path.startswith(BLOBS) and b'"' + MANIFEST.encode() + b'"' in content
    )


def _config(settings: OciSettings, layers: Sequence[OciLayer]) -> dict[str, object]:
    run: dict[str, object] = {"Env": list(settings.environment), "WorkingDir": "/"}
    if settings.entrypoint:
        run["Entrypoint"] = list(settings.entrypoint)
    if settings.command:
        run["Cmd"] = list(settings.command)
    if settings.labels:
        run["Labels"] = dict(settings.labels)
    return {
        "created": _CREATED,
        **_architecture(settings),
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{one.diff_id}" for one in layers]},
        "history": [{"created": _CREATED, "created_by": one.created_by} for one in layers],
    }


def _manifest(settings: OciSettings, config: OciBlob, layers: Sequence[OciLayer]) -> dict[str, object]:
    found: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor,
        "layers": [one.blob.descriptor for one in layers],
    }
    if settings.labels:
        found["annotations"] = dict(settings.labels)
    return found


def _architecture(settings: OciSettings) -> dict[str, str]:
    name, _, variant = settings.architecture.partition("/")
    return {"architecture": name, **({"variant": variant} if variant else {})}


def _document(content: object) -> bytes:
    return json_text(content).encode("utf-8", "surrogateescape") + b"\n"
