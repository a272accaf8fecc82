"""The table [profile] of a `denizen.toml`: what a profile is to have (pure).

[profile]
packages = ["ripgrep", "zip=3.0-15", "cowsay"]
suite = "trixie"        # the sources' own base suite where it is left out
name = "work"           # the profile; "profile" where it is left out
"""

from __future__ import annotations

import json

from denizen.formats.project_tables import PROFILE, project_table
from denizen.formats.toml_file import BadTomlFile, unknown_keys
from denizen.profiles.profile_links import DEFAULT
from denizen.sha256 import hex_digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

EXAMPLE = '[profile]\npackages = ["ripgrep", "jq"]\n'


class BadProfileTable(BadTomlFile):
    """The error that the table [profile] of a denizen.toml cannot be used, with all reasons."""

    WHAT = "{path} does not describe a profile"
    SUCH_AS = "a denizen.toml such as this"
    EXAMPLE = EXAMPLE


class ProjectProfile(Value):
    """The description of a profile.

    Attributes:
        packages: names, or NAME=VERSION; sorted.
        suites: the suite to take them from; () for the configured ones.
        name: the profile's name, or a path.
    """

    packages: tuple[str, ...]
    suites: tuple[str, ...]
    name: str

    @property
    def digest(self) -> bytes:
        """The hash of what decides the choice of packages."""
        return hex_digest_of(json.dumps([self.packages, self.suites]).encode()).encode("ascii")


def read_project_profile(text: bytes, path: str) -> ProjectProfile:
    """Return the table in a project file; `path` is the file's. Raises BadProfileTable."""
    table = project_table(PROFILE, text, path, BadProfileTable)
    if table is None:
        raise BadProfileTable(path, ("it has no table [profile]",))
    problems = tuple(_problems(table))
    if problems:
        raise BadProfileTable(path, problems)
    suites = (table["suite"],) if table.get("suite") else ()
    packages = tuple(sorted(dict.fromkeys(table.get("packages", ()))))
    return ProjectProfile(packages, suites, table.get("name") or DEFAULT)


def _problems(table: Mapping[str, Any]) -> Iterator[str]:
    known = ("packages", "suite", "name")
    yield from unknown_keys(table, known)
    packages = table.get("packages", [])
    if not isinstance(packages, list) or not all(isinstance(one, str) and one for one in packages):
        yield "packages is a list of texts"
    yield from (f"{key} is a text" for key in ("suite", "name") if not isinstance(table.get(key, ""), str))
