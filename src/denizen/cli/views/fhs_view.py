"""Environments as text and as JSON: their plan, their list, one generation."""

from __future__ import annotations

import os

from denizen.app.formatting import human_size, local_time
from denizen.cli.views.store_view import shown
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.fhs.generations import Generation
    from denizen.fhs.package_closure import EnvironmentPackage


def plan_document(members: Sequence[EnvironmentPackage]) -> list[dict[str, object]]:
    """Return the packages of a plan for --json."""
    return [
        {
            "name": display(one.package.package),
            "version": display(one.package.version),
            "arch": display(one.package.package_architecture),
            "suite": one.package.suite,
            "size": one.package.size,
            "wanted_by": display(one.asker) if one.asker else None,
        }
        for one in members
    ]


def plan_lines(members: Sequence[EnvironmentPackage]) -> Iterator[str]:
    """Yield a line for each package of a plan, and the sizes."""
    for one in members:
        by = f"for {display(one.asker)}" if one.asker else "wanted"
        yield f"  {display(one.package.package)} {display(one.package.version)}  {by}"
    size = sum(one.package.size for one in members)
    unpacked = sum(one.package.installed_size for one in members) * 1024
    yield f"{len(members)} packages: {human_size(size)} to fetch, {human_size(unpacked)} unpacked"


def list_document(rows: Sequence[tuple[str, Generation, Sequence[int]]]) -> list[dict[str, object]]:
    """Return environments for --json, of (name, current generation, numbers of all)."""
    return [
        {
            "name": name,
            "generation": one.number,
            "generations": numbers,
            "packages": list(one.settings.packages),
        }
        for name, one, numbers in rows
    ]


def list_lines(rows: Sequence[tuple[str, Generation, Sequence[int]]]) -> Iterator[str]:
    """Yield a line for each environment."""
    if not rows:
        yield "there are no environments; denizen fhs create NAME PACKAGE… makes one"
    for name, one, numbers in rows:
        packages = " ".join(one.settings.packages) or "the base set"
        yield f"{name}  generation {one.number} of {len(numbers)}, {len(one.parts)} packages: {packages}"


def generation_document(name: str, one: Generation, tree: bytes) -> dict[str, object]:
    """Return one generation for --json; `tree` is the path of its object."""
    settings = one.settings
    return {
        "name": name,
        "generation": one.number,
        "made": local_time(one.made),
        "tree": shown(tree),
        "packages": list(settings.packages),
        "suites": list(settings.suites),
        "architectures": list(settings.architectures),
        "locales": list(settings.locales),
        "bindings": [f"{os.fsdecode(b.source)}:{os.fsdecode(b.target)}" for b in settings.bindings],
        "environment": [f"{key}={text}" for key, text in settings.environment],
        "parts": [
            {
                "name": p.name,
                "version": p.version,
                "arch": p.architecture,
                "suite": p.suite,
                "sha256": p.sha256,
            }
            for p in one.parts
        ],
    }


def generation_lines(document: Mapping[str, object], one: Generation) -> Iterator[str]:
    """Yield the fields of a generation's document, and a line for each package."""
    for key, text in document.items():
        if key not in ("parts", "name"):
            yield f"{key + ':':15}{' '.join(map(str, text)) if isinstance(text, list) else text}"
    for part in one.parts:
        yield f"  {display(part.name)} {display(part.version)} {part.architecture}  {part.suite}"
