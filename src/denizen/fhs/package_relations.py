"""Relations between packages: Depends, Conflicts, Provides and their like (pure).

Specification: Debian Policy 7.1:

    relations    = group ("," group)*
    group        = relation ("|" relation)*
    relation     = name [":" qualifier] ["(" operator version ")"] ["[" architectures "]"] ["<" profiles ">"]
    operator     = "<<" | "<=" | "=" | ">=" | ">>"            ("<" and ">" are dpkg's old "<=" and ">=")

Architectures and profiles stand in source packages only; what they hold is passed over. A relation that
breaks the grammar has no name and is left out: archives with one in a million such must still serve.
"""

from __future__ import annotations

from denizen.errors import display
from denizen.formats.debversion import version_key
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OPERATORS: Mapping[bytes, str] = {
    b"<<": "<<", b"<=": "<=", b"<": "<=", b"=": "=", b">=": ">=", b">": ">=", b">>": ">>",
}  # fmt: skip


class Relation(Value):
    """One relation to a package.

    Attributes:
        qualifier: "any", "native", an architecture; b"" for none.
        operator: "" where no version is required.
    """

    name: bytes
    qualifier: bytes = b""
    operator: str = ""
    version: bytes = b""

    def __str__(self) -> str:
        """Return the relation as control files have it."""
        name = display(self.name) + (f":{display(self.qualifier)}" if self.qualifier else "")
        return f"{name} ({self.operator} {display(self.version)})" if self.operator else name

    def admits(self, version: bytes) -> bool:
        """Tell whether a version satisfies the relation."""
        if not self.operator:
            return True
        found, wanted = version_key(version), version_key(self.version)
        return {
            "<<": found < wanted,
            "<=": found <= wanted,
            "=": found == wanted,
            ">=": found >= wanted,
            ">>": found > wanted,
        }[self.operator]

    def admits_provided(self, provided: Relation) -> bool:
        """Tell whether a Provides satisfies it.

        An unversioned one satisfies no versioned relation (Policy 7.5).
        """
        if provided.name != self.name:
            return False
        return not self.operator or (provided.operator == "=" and self.admits(provided.version))


def groups(text: bytes) -> list[tuple[Relation, ...]]:
    """Return the groups of a field, each with its alternatives in order."""
    found = []
    for group in text.split(b","):
        parts = filter(None, map(bytes.strip, group.split(b"|")))
        relations = tuple([one for part in parts if (one := _relation(part)).name])
        if relations:
            found.append(relations)
    return found


def relations(text: bytes) -> list[Relation]:
    """Return all relations of a field without alternatives (Conflicts, Breaks, Provides, Replaces)."""
    return [one for group in groups(text) for one in group]


def _relation(text: bytes) -> Relation:
    name, bracket, rest = text.split(b"[", 1)[0].split(b"<!", 1)[0].partition(b"(")
    name, _, qualifier = name.strip().partition(b":")
    if not bracket:
        return Relation(name, qualifier.strip())
    inner = rest.partition(b")")[0].strip()
    mark = inner[: len(inner) - len(inner.lstrip(b"<=>"))]
    if mark not in _OPERATORS:
        return Relation(b"")
    return Relation(name, qualifier.strip(), _OPERATORS[mark], inner[len(mark) :].strip())
