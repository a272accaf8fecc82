"""Commands that a static program may look for because its arguments name them (`ccache gcc`, `brush -c "a"`).

Nothing of denizen's is in such a program, so no look of its along PATH can be answered while it runs. What
its arguments name is shown before it starts, as what is among its strings is (resources/command_paths.py).
A start whose arguments name a command that a package has and the decision does not show is decided anew,
once for each such name. Of other words the first are recorded, so that no index is asked for them again.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.launch.command_links import CommandLinks
    from denizen.launch.decisions.decision import Decision

# Names of one start that count, and the bytes of arguments that are looked through: a script may be long.
_MAX_NAMES = 40
_MAX_BYTES = 8192
# Nearly no command has a dot or a capital in its name, and most files that arguments name have.
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789+-_"
_OF_OTHERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ./"
# What is in no word parts those of a shell's line.
_PARTING = bytes(one if one in _LETTERS + _OF_OTHERS else ord(" ") for one in range(256))


def names_in(arguments: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the words of a program's arguments that may be names of commands: no paths, no options."""
    words = b" ".join(arguments)[:_MAX_BYTES].translate(_PARTING).split()
    names = (word for word in words if word[:1].islower() and not word.strip(_LETTERS))
    return tuple(dict.fromkeys(names))[:_MAX_NAMES]


def unknown_names(decision: Decision, links: CommandLinks, arguments: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the words of the arguments that may be commands and of which nothing is known yet.

    `links` are those of the decision's directory. Only the few programs pay for this that such commands are
    shown to.
    """
    shown = frozenset(decision.command)
    return tuple(
        name
        for name in names_in(arguments)
        if b"/usr/bin/" + name not in shown and not links.is_unnamed(name)
    )


def named_paths(links: CommandLinks, names: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the paths of commands for the names, and for those of earlier starts; the others are recorded.

    `names` are those that packages have, and that are not here.
    """
    for name in names:
        links.name(name)
    return tuple(b"/usr/bin/" + name for name in links.named())


def is_here(name: bytes) -> bool:
    """Tell whether the host has a command of that name where the loader's would be shown."""
    return os.path.lexists(b"/usr/bin/" + name)
