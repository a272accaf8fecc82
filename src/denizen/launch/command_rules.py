"""Rules for commands: those that are not brought, though packages have them, and those that are not seen."""

from __future__ import annotations

import posixpath
from functools import cache

from denizen.packaged_toml import packaged_toml
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

RULES = posixpath.join(posixpath.dirname(__file__), "command_rules.toml")


class CommandRule(Value):
    """One row of command_rules.toml."""

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
    """Return the rules in a parsed command_rules.toml. Raises KeyError for a document of another form."""
    return _rows(document["kept-out"])


@cache
def _rules_of(table: str) -> tuple[CommandRule, ...]:
    """Return the rules of one table of denizen; of a static program thousands of names are asked."""
    return _rows(packaged_toml(RULES)[table])


def _rows(rows: Iterable[Mapping[str, Any]]) -> tuple[CommandRule, ...]:
    return tuple(CommandRule(tuple(row["commands"]), row["reason"]) for row in rows)


def kept_out_reason(name: bytes) -> str:
    """Return the reason why a command is not brought; "" if it may be."""
    return _reason(command_rules(), name)


def unseen_reason(name: bytes) -> str:
    """Return the reason why programs that look for a command do not see it; "" if they may."""
    return _reason(_rules_of("looked-for"), name)


def is_essential(name: bytes) -> bool:
    """Tell whether a command is of a package that every system has."""
    return bool(_reason(_rules_of("essential"), name))


def folded(name: bytes) -> bytes:
    """Return the name of the package that is about a command: xvfb has Xvfb (Debian Policy 5.6.7)."""
    return name.lower()


def _reason(rules: Iterable[CommandRule], name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return next((rule.reason for rule in rules if rule.is_about(text)), "")
