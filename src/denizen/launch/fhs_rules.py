"""Rules for files, other than libraries, that a program needs and the strategy fhs provides (pure).

There are two sources: the first line of a script, and fhs_rules.toml for programs by name.
"""

from __future__ import annotations

import posixpath

from denizen.elf.script import BUFFER_SIZE, MAX_STEPS, WORKING_DIRECTORY, parse_script
from denizen.errors import BadInput, display
from denizen.fileview import exists
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from denizen.elf.script import Script
    from denizen.fileview import FileView

RULES = posixpath.join(posixpath.dirname(__file__), "fhs_rules.toml")
# The directory in which packages have the commands that `env` finds in PATH.
COMMANDS = b"/usr/bin/"


class EnvironmentRule(Value):
    """One row of fhs_rules.toml."""

    programs: tuple[str, ...]
    paths: tuple[bytes, ...]
    packages: tuple[str, ...]
    reason: str
    carried: bool = True

    def is_about(self, name: str) -> bool:
        """Tell whether the rule applies to a program with that file name."""
        return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.programs)


class EnvironmentNeeds(Value):
    """The files and packages that a program needs and this host lacks.

    Attributes:
        packages: names of packages.
        paths: files whose packages have to be looked up.
        reasons: a sentence for each need.
        suites: the suites that have the packages in the versions that fit; () for the base suite.
        standing: where the packages have the program itself, absolute; b"" where they have not.
    """

    packages: tuple[str, ...] = ()
    paths: tuple[bytes, ...] = ()
    reasons: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    standing: bytes = b""


def rules_in(document: Mapping[str, Any]) -> tuple[EnvironmentRule, ...]:
    """Return the rules in a document of fhs_rules.toml's form. Raises KeyError."""
    return tuple(map(_rule, document["wants"]))


def wants_of(
    view: FileView,
    program: bytes,
    script: Script | None,
    search_path: Sequence[bytes],
    rules: Sequence[EnvironmentRule],
) -> EnvironmentNeeds:
    """Return the needs of the program at `program` (absolute) that this host does not meet.

    Args:
        view: the host's file tree.
        program: the program's path.
        script: its first line, if it is a script.
        search_path: the directories of PATH.
        rules: the rules of fhs_rules.toml.
    """
    packages: dict[str, None] = {}
    paths: dict[bytes, None] = {}
    reasons: list[str] = []
    for path, reason in _interpreters(view, script, search_path).items():
        paths[path] = None
        reasons.append(reason)
    for rule in rules:
        if not rule.is_about(posixpath.basename(program).decode("utf-8", "replace")):
            continue
        missing = [path for path in rule.paths if not exists(view, path)]
        if missing:
            packages.update(dict.fromkeys(rule.packages))
            reasons.append(f"{rule.reason}; {display(missing[0])} is not here")
    return EnvironmentNeeds(tuple(packages), tuple(paths), tuple(reasons))


def _interpreters(view: FileView, script: Script | None, search_path: Sequence[bytes]) -> dict[bytes, str]:
    """Return the paths that do not exist, each with a sentence, of a script's first line.

    Where all of these exist, the line of the script that its interpreter is follows, and so on.
    """
    of = "its first line"
    for _ in range(MAX_STEPS):
        wanted = _wanted(view, script, search_path) if script is not None else {}
        missing = {path: name for path, name in wanted.items() if not exists(view, path)}
        if missing or not wanted:
            return {path: f"{of} asks for {name}, which is not here" for path, name in missing.items()}
        program = [*wanted][-1]
        of = f"the first line of {display(program)}"
        try:
            script = parse_script(bytes(view.read(program)[:BUFFER_SIZE]))
        except (OSError, BadInput):
            break
    return {}


def _wanted(view: FileView, script: Script, search_path: Sequence[bytes]) -> dict[bytes, str]:
    """Return the paths in a script's first line, each with what the line names.

    Of relative ones those that exist: no package has the others.
    """
    wanted = {script.interpreter: display(script.interpreter)}
    command = script.env.program if script.env is not None else None
    if command:
        places = [command] if b"/" in command else [posixpath.join(d, command) for d in search_path if d]
        found = next((place for place in places if exists(view, place)), None)
        wanted[found or (command if b"/" in command else COMMANDS + command)] = display(command)
    placed = {posixpath.join(WORKING_DIRECTORY, path): name for path, name in wanted.items()}
    below = WORKING_DIRECTORY + b"/"
    return {path: name for path, name in placed.items() if not path.startswith(below) or exists(view, path)}


def _rule(row: Mapping[str, Any]) -> EnvironmentRule:
    return EnvironmentRule(
        tuple(row["programs"]),
        tuple(path.encode() for path in row["paths"]),
        tuple(row["packages"]),
        row["reason"],
        row.get("carried", True),
    )
