"""The directories of a wheel's dependencies, in the packages that it was built with. It runs in the sandbox.

The builder's `python_install` calls it: commands of the wheel get these directories on their module path, so
that what the wheel requires (`Requires-Dist` of its metadata, and so on from there) is found where nothing is
installed. What no package has is left to the interpreter that the command is started by.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import distributions

from denizen.recipes.package_trees import package_trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Where Debian's packages have modules for all versions of Python (Debian Python Policy, 3.1).
_MODULES = "usr/lib/python3/dist-packages"
# The beginning of a requirement (PEP 508).
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def main(installed: str) -> int:
    """Print the directories that what is installed in a directory needs; return 0."""
    packages = [os.path.join(os.fsdecode(tree), _MODULES) for tree in package_trees()]
    for directory in needed_directories(installed, [one for one in packages if os.path.isdir(one)]):
        sys.stdout.write(f"{directory}\n")
    return 0


def needed_directories(installed: str, directories: Iterable[str]) -> tuple[str, ...]:
    """Return those of `directories` that have what is required by the distributions `installed` in one."""
    offered: dict[str, tuple[str, tuple[str, ...]]] = {}
    for directory in directories:
        for name, requires in _distributions(directory).items():
            offered.setdefault(name, (directory, requires))
    own = _distributions(installed)
    waiting = [name for requires in own.values() for name in requires]
    seen = set(own)
    found: dict[str, None] = {}
    for name in waiting:
        if name not in seen:
            seen.add(name)
            if name in offered:
                directory, requires = offered[name]
                found[directory] = None
                waiting += requires
    return tuple(found)


def _distributions(directory: str) -> Mapping[str, tuple[str, ...]]:
    """Return the distributions in a directory by name, with the names that each requires."""
    return {
        _normal(one.metadata["Name"]): tuple(_required(one.requires or ()))
        for one in distributions(path=[directory])
        if one.metadata["Name"]
    }


def _required(requirements: Iterable[str]) -> Iterator[str]:
    """Yield the names of requirements; those of extras are for who asks for them."""
    for text in requirements:
        match = _NAME.match(text)
        if match and "extra" not in text.partition(";")[2]:
            yield _normal(match[1])


def _normal(name: str) -> str:
    """Return the normalized name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
