"""The packages that a recipe is built with, as trees in the store. It runs in the sandbox."""

from __future__ import annotations

import os


def package_trees() -> list[bytes]:
    """Return the trees of the packages in the build's environment, by the list in it. Raises OSError."""
    tree = os.environb[b"__denizenRoot"]
    with open(os.path.join(tree, b"packages"), "rb") as stream:
        return [os.path.join(os.path.dirname(tree), base) for base in stream.read().split()]
