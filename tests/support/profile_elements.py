"""Elements of profiles for tests, and objects for them in a store."""

import os
from collections.abc import Mapping
from pathlib import Path

from denizen.formats.storepath import StorePath
from denizen.profiles.profile_manifest import ElementKind, ElementPart, ProfileElement
from denizen.resolve.resolution import Pin
from denizen.store.object_staging import Work


def element(
    name: str, *parts: ElementPart, version: str = "1", commands: tuple[str, ...] = (), priority: int = 5
) -> ProfileElement:
    """An element with one package of its own."""
    return ProfileElement(
        name, ElementKind.DEBIAN, name, version, 10, parts, commands, (pin(name, version),), priority=priority
    )


def pin(name: str, version: str = "1") -> Pin:
    digest = (name + version).encode().hex().encode().ljust(64, b"0")[:64]
    return Pin(name.encode(), version.encode(), b"amd64", "debian", "trixie", "", b"pool/x.deb", 1, digest, 2)


def added(work: Work, scratch: Path, name: str, files: Mapping[str, str]) -> StorePath:
    """An object with these files; those in bin are executable."""
    top = scratch / name
    for path, content in files.items():
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        if place.parent.name == "bin":
            place.chmod(0o755)
    return work.add(os.fsencode(top), name).path
