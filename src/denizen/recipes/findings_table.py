"""Findings of runs: libraries that programs of a recipe opened, as denizen.lock has them (pure).

A line for each: the program's file name, the library, and the Debian package that it came from, with tabs
between them. `denizen build --update` writes them (`app.recipes.run_findings`).
"""

from __future__ import annotations

import re

from denizen.errors import BadInput
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.recipes.recipe import Recipe

# Names of libraries as the resident asks for them (launch.dlopen_record), of packages (Debian Policy 5.6.7).
_LINE = re.compile(
    r"([^\s/\0]{1,255})\t((?=[^\t]*\.so)[A-Za-z0-9_+][A-Za-z0-9._+-]{0,199})\t([a-z0-9][a-z0-9+.-]{1,199})\Z"
)


class BadFindings(BadInput):
    """The error that the section [opened] of a denizen.lock is not one that denizen wrote."""

    line: str
    WHAT = "the section [opened] of denizen.lock cannot be used"
    WHY = "a line of it is no program, library and package: {line}"
    REMEDY = "delete the section; denizen build --update writes it anew"


class RunFinding(Value):
    """A library that a program opened when it ran, and the package that it came from."""

    program: str
    library: str
    package: str


def parse_findings(body: bytes) -> tuple[RunFinding, ...]:
    """Return the findings of a section. Raises BadFindings."""
    found = []
    for line in body.decode("utf-8", "surrogateescape").splitlines():
        match = _LINE.match(line)
        if match is None:
            raise BadFindings(line[:200])
        found.append(RunFinding(*match.groups()))
    return tuple(found)


def write_findings(findings: Iterable[RunFinding]) -> bytes:
    """Return a section's body; findings that it cannot hold, as of a program with a space, are left out."""
    lines = sorted({f"{one.program}\t{one.library}\t{one.package}" for one in findings})
    kept = [line for line in lines if _LINE.match(line)]
    return "".join(f"{line}\n" for line in kept).encode("utf-8", "surrogateescape")


def with_findings(recipe: Recipe, findings: Iterable[RunFinding]) -> Recipe:
    """Return a recipe that is built with the packages of findings, whose programs find the libraries."""
    found = tuple(findings)
    packages = dict.fromkeys((*recipe.packages, *(one.package for one in found)))
    opened = tuple([(one.program, one.library) for one in found])
    return replace(recipe, packages=tuple(packages), opened_by=opened)
