"""Facts in a package's control archive that no index has: conflicts, alternatives, diversions (pure).

Maintainer scripts are read and never run. Of a postinst the commands

    update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...

are understood whose words `maintainer_script` knows; alternatives that need a shell to be known are declared
in `triggers.toml`.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.fhs.diversions import diversions_in
from denizen.fhs.maintainer_script import commands_of
from denizen.fhs.package_relations import Relation, relations
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fhs.diversions import Diversion

_COMMAND = b"update-alternatives"
# Options that may stand ahead of --install, and change nothing of it.
_ANYWHERE = (b"--quiet", b"--force", b"--verbose")


@value
class Alternative:
    """A link that may lead to files of several packages.

    Attributes:
        link: path of the link, absolute.
        name: its name in /etc/alternatives.
        path: its target.
        priority: the highest one wins.
        slaves: (link, name, path) of the links that follow it.
    """

    link: bytes
    name: bytes
    path: bytes
    priority: int
    slaves: tuple[tuple[bytes, bytes, bytes], ...] = ()


@value
class Control:
    """The facts of a control archive that are used."""

    name: bytes
    version: bytes
    architecture: bytes
    provides: tuple[Relation, ...]
    conflicts: tuple[Relation, ...]
    breaks: tuple[Relation, ...]
    replaces: tuple[Relation, ...]
    alternatives: tuple[Alternative, ...]
    diversions: tuple[Diversion, ...] = ()


@value
class Clash:
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


def read_control(control: bytes, postinst: bytes, preinst: bytes = b"") -> Control:
    """Return the facts of one package from its control file and scripts. Raises BadControl."""
    from denizen.formats.deb822 import paragraphs

    fields = next(paragraphs(control), {})
    name = fields.get(b"package", b"").strip()

    def related(key: bytes) -> tuple[Relation, ...]:
        return tuple(relations(b" ".join(fields.get(key, b"").split())))

    return Control(
        name,
        fields.get(b"version", b"").strip(),
        fields.get(b"architecture", b"").strip(),
        related(b"provides"),
        related(b"conflicts"),
        related(b"breaks"),
        related(b"replaces"),
        tuple(alternatives_in(postinst)),
        tuple(dict.fromkeys([*diversions_in(preinst, name), *diversions_in(postinst, name)])),
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


def alternatives_in(postinst: bytes) -> Iterator[Alternative]:
    """Yield the alternatives that a postinst installs by commands whose words are known from its text."""
    for words in commands_of(postinst, _COMMAND):
        found = _alternative([word for word in words if word not in _ANYWHERE])
        if found is not None:
            yield found


def _alternative(words: list[bytes]) -> Alternative | None:
    if len(words) < 6 or words[1] != b"--install" or not words[5].removeprefix(b"-").isdigit():
        return None
    slaves: list[tuple[bytes, bytes, bytes]] = []
    for at in range(6, len(words) - 3, 4):
        if words[at] != b"--slave":
            break
        slaves.append((words[at + 1], words[at + 2], words[at + 3]))
    paths = [words[2], words[4], *(place for one in slaves for place in (one[0], one[2]))]
    if not all(path.startswith(b"/") and b".." not in path.split(b"/") for path in paths):
        return None
    if any(b"/" in name or name in (b"", b".", b"..") for name in (words[3], *(one[1] for one in slaves))):
        return None
    return Alternative(words[2], words[3], words[4], int(words[5][:9]), tuple(slaves))


def winners(alternatives: Sequence[Alternative]) -> dict[bytes, Alternative]:
    """Return the alternative of each name: the one of highest priority, the first among equals."""
    best: dict[bytes, Alternative] = {}
    for one in alternatives:
        if one.name not in best or one.priority > best[one.name].priority:
            best[one.name] = one
    return best
