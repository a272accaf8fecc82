"""Names of a package that are imported when they are first asked for, by PEP 562 (pure).

A command uses a few of the modules whose names `elf` and `linker` export, and each costs 0.25 to 0.6 ms.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def importing(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of `package`, whose names stand in its `modules`: name -> module in it."""

    def __getattr__(name: str) -> object:  # noqa: N807  # what a traceback shows
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(__import__(f"{package}.{modules[name]}", fromlist=[name]), name)
        setattr(sys.modules[package], name, found)  # the next time it is found without asking
        return found

    return __getattr__
