"""Remedies as the caller would type them: with the root and the profile of the command that failed.

An error names a command (`denizen profile history`), and does not know by which options the caller said
where to look. They are added here, where all errors pass.
"""

from __future__ import annotations

import re

from denizen.errors import shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.options import Parsed

# The commands that have `--profile`.
OF_PROFILES = frozenset(
    {
        "env", "install", "list", "outdated", "pin", "profile delete-generations", "profile diff",
        "profile history", "profile rollback", "profile switch", "profile wipe", "remove", "unpin", "upgrade",
    }
)  # fmt: skip
_VALUED = ("root", "profile", "target")
_PROFILE = ("--profile", "--system")
# The commands that have `--target`.
OF_TARGETS = frozenset(
    f"system {word}"
    for word in ("build", "delete-generations", "dry-run", "list", "rollback", "switch", "test")
)
_TARGET = ("--target",)


def options_of(parsed: Parsed) -> list[str]:
    """Return the options by which the caller said about what the command is, as a shell reads them."""
    given = [(name, parsed.text(name)) for name in _VALUED if parsed.has(name)]
    system = ["--system"] if parsed.has("system") and parsed.flag("system") else []
    return [*system, *(f"--{name} {shell_word(text)}" for name, text in given if text)]


def as_typed(remedy: str, options: Sequence[str], commands: Sequence[str]) -> str:
    """Return a remedy with the options after each command in it that has them.

    Args:
        remedy: a sentence with commands in it.
        options: `--root DIR`, `--profile NAME`, `--system`, `--target DIR` as the caller gave them, quoted.
        commands: the first words of all commands: `denizen does not ...` is none.
    """
    kinds = ((OF_PROFILES, _PROFILE), (OF_TARGETS, _TARGET))
    places = [option for option in options if not option.startswith(_PROFILE + _TARGET)]

    def typed(found: re.Match[str]) -> str:
        first, second = found[1], found[2] or ""
        if first not in commands:
            return found[0]
        both = f"{first}{second}"
        name = both if both in OF_PROFILES | OF_TARGETS else first
        rest = second if name == first else ""
        given = remedy[found.end() :].lstrip()
        added = [
            option
            for having, starts in kinds
            for option in options
            if name in having and option.startswith(starts) and not given.startswith(starts)
        ]
        return " ".join(["denizen", *places, name, *added]) + rest

    return re.sub(r"\bdenizen ([a-z][a-z-]*)( [a-z][a-z-]*)?", typed, remedy)
