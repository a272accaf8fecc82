"""Which trees an installation sets aside before it makes what is lacking."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from denizen.resolve.installation import install as installation
from denizen.resolve.installation.resolution_derivations import Recipes
from denizen.resolve.resolution import Resolution
from denizen.store.local import Store


def test_a_tree_that_is_not_there_is_not_set_aside(tmp_path: Path) -> None:
    """Another process may rename it into place between the look and the setting aside, and would lose it."""
    place = tmp_path / "package"
    store = cast("Store", SimpleNamespace(place_of=lambda name: os.fsencode(tmp_path / name)))
    chosen = SimpleNamespace(package=b"sha256", path=b"usr/lib/libx.so.1")
    resolution = cast("Resolution", SimpleNamespace(choices=[chosen]))
    made = cast("Recipes", SimpleNamespace(packages={b"sha256": "package"}))
    assert installation._written_to(store, resolution, made) == set()
    place.mkdir()
    assert installation._written_to(store, resolution, made) == {os.fsencode(place)}
