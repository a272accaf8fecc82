"""Conflicts between packages: which exclude each other by Conflicts and Breaks (pure)."""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fhs.control_archive import Control
    from denizen.fhs.package_relations import Relation


class Clash(Value):
    """Two packages that cannot be installed together.

    Attributes:
        one: the package that declares it.
        other: the package that it excludes.
        field: "Conflicts" or "Breaks".
        relation: the relation in the field.
    """

    one: bytes
    other: bytes
    other_version: bytes
    field: str
    relation: Relation


class ConflictingPackages(BadInput):
    """The error that chosen packages exclude one another."""

    clashes: tuple[Clash, ...]

    @property
    def what(self) -> str:
        names = [f"{display(clash.one)} and {display(clash.other)}" for clash in self.clashes[:8]]
        return f"these packages cannot be in one environment: {', '.join(names)}"

    @property
    def why(self) -> str:
        return "\n".join(
            f"{display(clash.one)} {clash.field}: {clash.relation}; "
            f"{display(clash.other)} is {display(clash.other_version)}"
            for clash in self.clashes[:8]
        )

    @property
    def remedy(self) -> str:
        clash = self.clashes[0]
        return (
            f"leave out {display(clash.one)} or {display(clash.other)}, or what depends on it "
            "(denizen fhs create --plan shows who), or make two environments"
        )


def clashes(controls: Sequence[Control]) -> list[Clash]:
    """Return the pairs of packages that exclude each other.

    A package never excludes itself or a name that it provides itself (Policy 7.4).
    """
    by_name: dict[bytes, list[tuple[Control, Relation | None]]] = {}
    for control in controls:
        by_name.setdefault(control.name, []).append((control, None))
        for own in control.provides:
            by_name.setdefault(own.name, []).append((control, own))
    found: dict[tuple[bytes, bytes], Clash] = {}
    for control in controls:
        for field, some in (("Conflicts", control.conflicts), ("Breaks", control.breaks)):
            for relation in some:
                for other, provided in by_name.get(relation.name, ()):
                    if other.name != control.name and _hits(relation, other, provided, control):
                        clash = Clash(control.name, other.name, other.version, field, relation)
                        found.setdefault((control.name, other.name), clash)
    return list(found.values())


def _hits(relation: Relation, other: Control, provided: Relation | None, own: Control) -> bool:
    qualifier = relation.qualifier or own.architecture
    if qualifier not in (b"any", b"all") and other.architecture not in (b"all", qualifier):
        return False
    if provided is not None:
        return relation.admits_provided(provided)
    return relation.admits(other.version)
