"""Rules for commands: those that are not brought though packages have them, and names that none lists."""

from __future__ import annotations

import posixpath
from functools import cache

from denizen.packaged_toml import packaged_toml
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RULES = posixpath.join(posixpath.dirname(__file__), "commands.toml")


@value
class CommandRule:
    """One row of commands.toml."""

    commands: tuple[str, ...]
    reason: str

    def is_about(self, name: str) -> bool:
        """Tell whether the rule applies to a command of that name."""
        return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.commands)


@cache
def command_rules() -> tuple[CommandRule, ...]:
    """Return the rules that come with denizen."""
    return read_rules(packaged_toml(RULES))


def read_rules(document: Mapping[str, Any]) -> tuple[CommandRule, ...]:
    """Return the rules in a parsed commands.toml. Raises KeyError for a document of another form."""
    return tuple(CommandRule(tuple(row["commands"]), row["reason"]) for row in document["kept-out"])


def kept_out_reason(name: bytes) -> str:
    """Return the reason why a command is not brought; "" if it may be."""
    text = name.decode("utf-8", "replace")
    return next((rule.reason for rule in command_rules() if rule.is_about(text)), "")


@cache
def _alternatives() -> Mapping[str, str]:
    return dict(packaged_toml(RULES)["alternative"])


def alternative_package(name: bytes) -> bytes:
    """Return the package for a command whose name only a maintainer script makes; b"" for none."""
    return _alternatives().get(name.decode("utf-8", "replace"), "").encode()
