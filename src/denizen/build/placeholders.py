"""Placeholders of output paths that are known only after building (pure).

Specification: Nix, src/libstore/derivations.cc (hashPlaceholder) and downstream-placeholder.cc. A derivation
with floating outputs has `placeholder(output)` where a path would stand. A derivation that uses such an
output has `downstream_placeholder(...)`. Before a build the former become scratch paths, the latter
the paths that the inputs have got.
"""

from __future__ import annotations

from denizen.formats import base32, storepath
from denizen.sha256 import digest_of
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath


def placeholder(output: bytes) -> bytes:
    """Return what stands for the path of a derivation's own output."""
    return _of(b"nix-output:" + output)


def downstream_placeholder(drv: StorePath, output: bytes) -> bytes:
    """Return what stands for the path of the output of another derivation, `drv`."""
    name = storepath.output_name(drv.name.removesuffix(".drv"), output.decode("ascii"))
    return _of(b"nix-upstream-output:%b:%b" % (drv.digest.encode("ascii"), name.encode("ascii")))


def _of(text: bytes) -> bytes:
    return b"/" + base32.encode(digest_of(text)).encode("ascii")


def scratch_path(drv: StorePath, output: bytes, store_dir: bytes) -> StorePath:
    """Return the path at which an output is built whose own path follows from its content."""
    name = storepath.output_name(drv.name.removesuffix(".drv"), output.decode("ascii"))
    kind = b"rewrite:%b:name:%b" % (drv.base.encode("ascii"), output)
    return storepath.for_scratch(kind, name, store_dir)


def rewritten(text: bytes, rewrites: Mapping[bytes, bytes]) -> bytes:
    """Return `text` with each key of `rewrites` replaced by its value."""
    for old, new in rewrites.items():
        if old in text:
            text = text.replace(old, new)
    return text


def rewritten_derivation(derivation: Derivation, rewrites: Mapping[bytes, bytes]) -> Derivation:
    """Return the derivation with placeholders replaced in its builder, arguments and environment."""
    return replace(
        derivation,
        builder=rewritten(derivation.builder, rewrites),
        arguments=tuple([rewritten(one, rewrites) for one in derivation.arguments]),
        environment={
            rewritten(name, rewrites): rewritten(text, rewrites)
            for name, text in derivation.environment.items()
        },
    )
