"""The closure of an environment's packages: the wanted ones and all that they depend on (pure).

The rules are apt's. A group of alternatives is satisfied if one of them is chosen already; else by its first
alternative that any package satisfies, where a package of that name comes before one that provides it. A
virtual package asked for by name goes to the provider that most packages depend on. Cycles end at packages
that are chosen already. Packages of Architecture "all" depend on the native architecture's (Multi-Arch
specification).
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.fhs.package_relations import Relation, groups, relations
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from denizen.index.provider import Provider
else:
    Protocol = object

# The whole of a desktop task is 2,500 packages.
MAX_PACKAGES = 20_000
_SHOWN = 12


class PackageCatalogue(Protocol):
    """The packages of one architecture."""

    def packages(self, name: bytes) -> list[Provider]:
        """Return the packages of a name, the best first."""

    def providing(self, name: bytes) -> list[Provider]:
        """Return the packages whose Provides has the name."""

    def near_packages(self, name: bytes) -> list[bytes]:
        """Return known names that resemble an unknown one."""


class Missing(Value):
    """A relation that no package satisfies.

    Attributes:
        asked: the group's alternatives.
        chain: the packages that led to it, the wanted one first; empty if the user asked for it.
        near: known names that resemble it.
    """

    asked: tuple[Relation, ...]
    chain: tuple[bytes, ...]
    near: tuple[bytes, ...]


class MissingPackages(BadInput):
    """The error that wanted packages, or dependencies of these, are not in the archive."""

    missing: tuple[Missing, ...]

    @property
    def what(self) -> str:
        names = sorted({str(one.asked[0]) for one in self.missing})
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"not in the archive: {', '.join(names[:_SHOWN])}{more}"

    @property
    def why(self) -> str:
        return "\n".join(_sentence(one) for one in self.missing[:_SHOWN])

    @property
    def remedy(self) -> str:
        near = list(dict.fromkeys(display(name) for one in self.missing for name in one.near))
        hint = f"near: {', '.join(near)}; " if near else ""
        return hint + "denizen find NAME; denizen index update"


class TooManyPackages(BadInput):
    """The error that wanted packages depend on more packages than an environment may have.

    Attributes:
        wanted: the packages that the user named.
    """

    wanted: tuple[bytes, ...]

    @property
    def what(self) -> str:
        return f"{', '.join(map(display, self.wanted[:_SHOWN]))}: too many packages come with it"

    @property
    def why(self) -> str:
        return f"an environment has at most {MAX_PACKAGES:,}"


def _sentence(one: Missing) -> str:
    asked = " | ".join(map(str, one.asked))
    if not one.chain:
        return f"{asked}: no package is called that or provides it"
    return f"{asked}: nothing satisfies it; wanted by {' → '.join(map(display, one.chain))}"


class EnvironmentPackage(Value):
    """A package of the environment and the package that depends on it; None for the user or the base set."""

    package: Provider
    asker: bytes | None


def closure(
    wanted: Sequence[tuple[bytes, str]],
    native: str,
    catalogues: Mapping[str, PackageCatalogue],
    *,
    whole: bool = True,
) -> tuple[EnvironmentPackage, ...]:
    """Return every package of the environment, in the order in which they are asked for.

    Args:
        wanted: names, each with its architecture.
        native: the architecture to which packages for all architectures belong.
        catalogues: the packages of each architecture.
        whole: what is missing is an error; else it is left out.

    Raises:
        MissingPackages: with everything that is missing.
        TooManyPackages: there are more than `MAX_PACKAGES`.
    """
    search = _ClosureSearch(native, catalogues)
    for name, architecture in wanted:
        search.want((Relation(name),), architecture, None)
    search.run()
    if len(search.members) > MAX_PACKAGES:
        raise TooManyPackages(tuple(name for name, _ in wanted))
    if search.missing and whole:
        raise MissingPackages(tuple(search.missing))
    return tuple(search.members.values())


class _ClosureSearch:
    """The search for a closure, with the packages chosen so far."""

    def __init__(self, native: str, catalogues: Mapping[str, PackageCatalogue]) -> None:
        self._native = native
        self._catalogues = catalogues
        # By (name, architecture): a name is chosen once for each architecture.
        self.members: dict[tuple[bytes, str], EnvironmentPackage] = {}
        self.missing: list[Missing] = []
        self._provided: dict[bytes, list[tuple[Relation, Provider]]] = {}
        self._pending: list[tuple[Provider, str]] = []
        self._asked: set[tuple[tuple[Relation, ...], str]] = set()

    def want(self, group: tuple[Relation, ...], architecture: str, asker: bytes | None) -> None:
        """Satisfy one group of alternatives, or record it as missing."""
        if (group, architecture) in self._asked:
            return
        self._asked.add((group, architecture))
        if any(self._is_satisfied(one, architecture) for one in group):
            return
        for one in group:
            found = self._candidate(one, architecture)
            if found is not None:
                self._choose(found, architecture, asker)
                return
        near = self._catalogues[architecture].near_packages(group[0].name)
        self.missing.append(Missing(group, self._chain(asker), tuple(near)))

    def run(self) -> None:
        """Satisfy the dependencies of chosen packages until none is left or there are too many."""
        position = 0
        while position < len(self._pending) and len(self.members) <= MAX_PACKAGES:
            package, architecture = self._pending[position]
            position += 1
            for text in (package.pre_depends, package.depends):
                for group in groups(text):
                    self.want(group, architecture, package.package)

    def _choose(self, package: Provider, architecture: str, asker: bytes | None) -> None:
        # A package for all architectures belongs to the native one, and so do its dependencies.
        home = self._native if package.package_architecture == b"all" else architecture
        key = package.package, home
        if key in self.members:
            return
        self.members[key] = EnvironmentPackage(package, asker)
        for provided in relations(package.provides):
            self._provided.setdefault(provided.name, []).append((provided, package))
        self._pending.append((package, home))

    def _is_satisfied(self, relation: Relation, architecture: str) -> bool:
        for home in dict.fromkeys((architecture, *self._catalogues)):
            member = self.members.get((relation.name, home))
            if (
                member is not None
                and relation.admits(member.package.version)
                and _serves(member.package, relation, architecture)
            ):
                return True
        return any(
            relation.admits_provided(provided) and _serves(package, relation, architecture)
            for provided, package in self._provided.get(relation.name, ())
        )

    def _candidate(self, relation: Relation, architecture: str) -> Provider | None:
        """Return the package to choose, preferring the native architecture where any will do.

        Return None if there is none.
        """
        homes: tuple[str, ...] = (architecture,)
        if relation.qualifier.decode("latin-1") in self._catalogues:
            homes = (relation.qualifier.decode("latin-1"),)
        elif architecture != self._native:
            homes = (self._native, architecture)
        for home in homes:
            for package in self._in_order(relation, self._catalogues[home]):
                if _serves(package, relation, architecture):
                    return package
        return None

    def _in_order(self, relation: Relation, catalogue: PackageCatalogue) -> list[Provider]:
        real = [one for one in catalogue.packages(relation.name) if relation.admits(one.version)]
        virtual = [
            one
            for one in catalogue.providing(relation.name)
            if any(relation.admits_provided(provided) for provided in relations(one.provides))
        ]
        return real + sorted(virtual, key=lambda one: (-one.dependents, one.package))

    def _chain(self, asker: bytes | None) -> tuple[bytes, ...]:
        chain: list[bytes] = []
        while asker is not None and asker not in chain:
            chain.append(asker)
            asker = next(
                (member.asker for (name, _), member in self.members.items() if name == chain[-1]), None
            )
        return tuple(reversed(chain))


def _serves(package: Provider, relation: Relation, architecture: str) -> bool:
    """Tell whether a package satisfies a dependency of an architecture, by the Multi-Arch specification."""
    own = package.package_architecture.decode("latin-1")
    if own in ("all", architecture) or relation.qualifier == own.encode():
        return True
    return package.multi_arch == b"foreign" or (
        package.multi_arch == b"allowed" and relation.qualifier == b"any"
    )
