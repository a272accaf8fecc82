"""The archive of the modules that the fixup phase runs with in a sandbox, for its Python to import."""

from __future__ import annotations

import io
import os
import zipfile

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Modules, and folders with all their modules: fixup and wheel_dependencies with what they import, no more.
_PARTS = (
    "__init__.py", "bytesio.py", "elf", "errors.py", "fileview.py", "lazy.py", "machines.py", "relocate",
    "recipes/__init__.py", "recipes/package_trees.py", "recipes/fixup.py", "recipes/fixup_plan.py",
    "recipes/wheel_dependencies.py", "value.py",
)  # fmt: skip
_DATE = (1980, 1, 1, 0, 0, 0)


def fixup_library() -> bytes:
    """Return the archive; of one version of denizen always the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in _names():
            with open(os.path.join(_PACKAGE, name), "rb") as stream:
                archive.writestr(zipfile.ZipInfo(f"denizen/{name}", _DATE), stream.read())
    return content.getvalue()


def _names() -> list[str]:
    names = []
    for part in _PARTS:
        if part.endswith(".py"):
            names.append(part)
        else:
            found = os.listdir(os.path.join(_PACKAGE, part))
            names += [f"{part}/{name}" for name in found if name.endswith(".py")]
    return sorted(names)
