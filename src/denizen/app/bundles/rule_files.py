"""Files that a program looks for by the rules of wants.toml, from an environment that is made for them.

Some are in no package: a maintainer script writes them, as the list of Graphviz's plugins. The environment
(strategy fhs) has them; a bundle takes those that the rule names.
"""

from __future__ import annotations

import os

from denizen.errors import HostLacks, SourceFailed, display
from denizen.launch.environment_rules import RULES, EnvironmentNeeds, rules_in
from denizen.packaged_toml import packaged_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.app.session import Session
    from denizen.launch.program import Program


def wanted_files(session: Session, program: Program, *, offline: bool) -> Mapping[bytes, bytes]:
    """Return path -> file with its content, of what the rules say that the program looks for.

    What cannot be had is told, and left out.
    """
    name = os.path.basename(program.path).decode("utf-8", "replace")
    rules = [rule for rule in rules_in(packaged_toml(RULES)) if rule.is_about(name) and rule.carried]
    paths = tuple(dict.fromkeys(path for rule in rules for path in rule.paths))
    if not paths:
        return {}
    packages = tuple(dict.fromkeys(name for rule in rules for name in rule.packages))
    try:
        tree = _environment(session, packages, offline=offline)
    except (HostLacks, SourceFailed) as problem:
        session.reporter.say(f"denizen: it is bundled without {display(paths[0])}: {problem.what}")
        return {}
    found = {path: os.path.realpath(tree + path) for path in paths}
    return {path: source for path, source in found.items() if os.path.isfile(source)}


def _environment(session: Session, packages: tuple[str, ...], *, offline: bool) -> bytes:
    """Return the tree of an environment with these packages. Raises HostLacks, SourceFailed."""
    from denizen.app.environments.auto_environment import enter_auto_environment
    from denizen.app.request import RunRequest

    return enter_auto_environment(session, EnvironmentNeeds(packages), RunRequest(offline=offline)).tree
