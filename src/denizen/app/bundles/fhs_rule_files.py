"""Files that a program looks for by fhs_rules.toml, from an environment made for them.

Some are in no package: a maintainer script writes them, as the list of Graphviz's plugins. The environment
(strategy fhs) has them; a bundle takes those that the rule names, and what libraries need that such a file
lists and that lie beside it: these are what the program opens by the list.
"""

from __future__ import annotations

import os
import re

from denizen.errors import HostLacks, SourceFailed, display
from denizen.launch.fhs_rules import RULES, EnvironmentNeeds, rules_in
from denizen.packaged_toml import packaged_toml
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.app.session import Session
    from denizen.launch.program import Program


# Bytes of a list that are looked at.
_LONGEST = 1 << 20
_LIBRARY = re.compile(rb"[\w.+-]+\.so(?:\.\d+)*(?![\w.])")


class RuleFiles(Value):
    """Files that a program looks for.

    Attributes:
        files: path -> the file with its content.
        listed: the libraries beside them that they name.
    """

    files: Mapping[bytes, bytes]
    listed: tuple[bytes, ...] = ()


def wanted_files(session: Session, program: Program, *, offline: bool) -> RuleFiles:
    """Return what the rules say that the program looks for.

    What cannot be had is told, and left out.
    """
    name = os.path.basename(program.path).decode("utf-8", "replace")
    rules = [rule for rule in rules_in(packaged_toml(RULES)) if rule.is_about(name) and rule.carried]
    paths = tuple(dict.fromkeys(path for rule in rules for path in rule.paths))
    if not paths:
        return RuleFiles({})
    packages = tuple(dict.fromkeys(name for rule in rules for name in rule.packages))
    try:
        tree = _environment(session, packages, offline=offline)
    except (HostLacks, SourceFailed) as problem:
        session.reporter.say(f"denizen: it is bundled without {display(paths[0])}: {problem.what}")
        return RuleFiles({})
    found = {path: os.path.realpath(tree + path) for path in paths if os.path.isfile(tree + path)}
    listed = [library for path in found for library in listed_libraries(tree + path)]
    return RuleFiles(found, tuple(dict.fromkeys(listed)))


def listed_libraries(path: bytes) -> list[bytes]:
    """Return the libraries that a text names and that lie beside it. Raises OSError."""
    with open(path, "rb") as stream:
        text = stream.read(_LONGEST)
    if b"\0" in text:
        return []
    names = dict.fromkeys(_LIBRARY.findall(text))
    beside = [os.path.join(os.path.dirname(path), name) for name in names]
    return [os.path.realpath(one) for one in beside if os.path.isfile(one)]


def _environment(session: Session, packages: tuple[str, ...], *, offline: bool) -> bytes:
    """Return the tree of an environment with these packages. Raises HostLacks, SourceFailed."""
    from denizen.app.environments.auto_environment import enter_auto_environment
    from denizen.app.start_request import RunRequest

    return enter_auto_environment(session, EnvironmentNeeds(packages), RunRequest(offline=offline)).tree
