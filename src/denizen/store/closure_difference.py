"""The difference of two closures: packages that came, went, changed version, grew or shrank (pure).

Specification: Nix, src/nix/diff-closures.cc and libstore/names.cc. Objects are grouped by the name of
their package: what precedes a `-` that no letter follows; what follows is the version. The name of an output
(`-dev`) is no part of either.
"""

from __future__ import annotations

import re

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.store.object_info import ObjectInfo

_OUTPUT = re.compile(r"(.*)-(?:bin|dev|lib|lib32|lib64|man|doc|info|out|debug|static)")
# Smaller changes of size alone are not told, as in Nix.
SMALLEST = 8 * 1024


class PackageChange(Value):
    """The change of one package between two closures.

    Attributes:
        name: its name.
        before, after: its versions there; "" for an object without a version.
        growth: bytes of NAR size by which it grew.
    """

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    growth: int


def package_name(name: str) -> tuple[str, str]:
    """Return name and version of the package that an object's name says it is of."""
    output = _OUTPUT.fullmatch(name)
    name = output[1] if output else name
    for at in range(len(name) - 1):
        if name[at] == "-" and not name[at + 1].isalpha():
            return name[:at], name[at + 1 :]
    return name, ""


def closure_difference(
    before: Iterable[ObjectInfo], after: Iterable[ObjectInfo]
) -> tuple[PackageChange, ...]:
    """Return the packages that differ between two closures, sorted by name."""
    old, new = _grouped(before), _grouped(after)
    changes = [
        _change(name, old.get(name, {}), new.get(name, {})) for name in sorted(old.keys() | new.keys())
    ]
    return tuple([one for one in changes if one.before != one.after or abs(one.growth) >= SMALLEST])


def _grouped(infos: Iterable[ObjectInfo]) -> dict[str, dict[str, int]]:
    """Return the sizes by name and version."""
    found: dict[str, dict[str, int]] = {}
    for info in infos:
        name, version = package_name(info.path.name)
        versions = found.setdefault(name, {})
        versions[version] = versions.get(version, 0) + info.nar_size
    return found


def _change(name: str, old: Mapping[str, int], new: Mapping[str, int]) -> PackageChange:
    return PackageChange(name, tuple(sorted(old)), tuple(sorted(new)), sum(new.values()) - sum(old.values()))
