"""Root file systems as OCI images: a layer for each large package, one for the small ones, one for the rest.

A package's layer depends on that package alone, so images that have it share it, in a registry and on a host.
"""

from __future__ import annotations

import hashlib
import os
import tempfile

from denizen.app.exports.archives import gzip_packer
from denizen.app.exports.atomic_output import staged_directory, staged_file
from denizen.app.exports.disk_entries import disk_entries
from denizen.disk import make_directories
from denizen.exports.image_layers import layer_groups
from denizen.exports.rootfs_tree import MODES
from denizen.formats.oci_image import (
    BLOBS,
    LAYER,
    OciBlob,
    OciLayer,
    OciSettings,
    blob_name,
    image_digest,
    layout_files,
)
from denizen.formats.tar_writer import write_tar
from denizen.machines import by_debian
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from denizen.app.exports.export_root import ExportRoot
    from denizen.exports.rootfs_tree import ImageLayer

_TITLE = "org.opencontainers.image.title"
_PACKAGES = "denizen.packages"
_ARCHIVE = b".tar"


class OciMade(Value):
    """An image that was written: its digest, and its layers."""

    digest: str
    layers: tuple[OciLayer, ...]


def write_oci(
    root: ExportRoot, target: bytes, reference: str, labels: Sequence[tuple[str, str]] = ()
) -> OciMade:
    """Write a layout: a directory, or where the name ends with .tar an archive of one.

    Raises AlreadyThere, DiskFailed.
    """
    if not target.endswith(_ARCHIVE):
        with staged_directory(target) as directory:
            return _fill(directory, root, reference, labels)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target) or b".", prefix=b".layout-") as directory:
        made = _fill(directory, root, reference, labels)
        with staged_file(target) as stream:
            write_tar(disk_entries(directory), stream.write)
    return made


def _settings(root: ExportRoot, reference: str, labels: Sequence[tuple[str, str]]) -> OciSettings:
    packages = " ".join(f"{one.name}={one.version}" for one in root.packages)
    own = {_TITLE: root.name, **({_PACKAGES: packages} if packages else {}), **dict(labels)}
    machine = by_debian(root.architecture)
    return OciSettings(
        machine.go if machine and machine.go else root.architecture,
        root.entrypoint,
        root.command,
        root.environment,
        tuple(sorted(own.items())),
        reference,
    )


def _fill(directory: bytes, root: ExportRoot, reference: str, labels: Sequence[tuple[str, str]]) -> OciMade:
    make_directories(os.path.join(directory, BLOBS))
    parts = root.tree.layers(layer_groups(root.tree.sizes()))
    layers = tuple(_write_layer(directory, part) for part in parts)
    files = layout_files(_settings(root, reference, labels), layers)
    for path, content in files.items():
        with open(os.path.join(directory, path), "wb") as stream:
            stream.write(content)
    return OciMade(image_digest(files), layers)


class _LayerStream:
    """A layer's file, compressed and hashed as it is written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._packer = gzip_packer()
        self._archive = hashlib.sha256()
        self._file = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._archive.update(piece)
        self._put(self._packer.compress(piece))

    def finish(self, title: str) -> OciLayer:
        """Write the rest of the file; return the layer that it is."""
        self._put(self._packer.flush())
        blob = OciBlob(LAYER, self._file.hexdigest(), self._size)
        return OciLayer(blob, self._archive.hexdigest(), title)

    def _put(self, piece: bytes) -> None:
        self._stream.write(piece)
        self._file.update(piece)
        self._size += len(piece)


def _write_layer(directory: bytes, part: ImageLayer) -> OciLayer:
    temporary = os.path.join(directory, BLOBS, b"unfinished")
    with open(temporary, "wb") as file:
        stream = _LayerStream(file)
        write_tar(part.entries, stream.write, modes=MODES)
        layer = stream.finish(part.title)
    os.rename(temporary, os.path.join(directory, blob_name(layer.blob.digest)))
    return layer
