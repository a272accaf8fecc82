"""The launcher of an environment: a shell script that enters it without starting Python (pure).

It holds the plan for the host's state when it was written; `denizen fhs` writes it again when the plan
changes.
"""

from __future__ import annotations

from denizen.fhs.environment_variables import LOCALE_CHOICES
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-")


class Launch(Value):
    """The content of a launcher.

    Attributes:
        mark: the lines after the first, by which an up-to-date launcher is recognised.
        entry: denizen-enter with its plan, up to and with "--".
        variables: variables that are always set.
        locale: LANG if the user has none set; "" for none.
        shell: the command to run when none is given.
    """

    mark: bytes
    entry: tuple[bytes, ...]
    variables: Mapping[str, str]
    locale: str
    shell: tuple[bytes, ...]


def script(launch: Launch) -> bytes:
    """Return the script's bytes."""
    lines = [b"#!/bin/sh", launch.mark]
    for key, text in launch.variables.items():
        lines.append(b"export %b=%b" % (key.encode(), _quoted(text.encode("utf-8", "surrogateescape"))))
    if launch.locale:
        chosen = "".join(f"${name}" for name in LOCALE_CHOICES).encode()
        lines.append(b'[ -n "%b" ] || export LANG=%b' % (chosen, _quoted(launch.locale.encode())))
    lines.append(b"[ $# -gt 0 ] || set -- %b" % _words(launch.shell))
    # env looks the command up in the environment's own PATH.
    lines.append(b'exec %b /usr/bin/env "$@"' % _words(launch.entry))
    return b"\n".join(lines) + b"\n"


def _words(words: Sequence[bytes]) -> bytes:
    return b" ".join(map(_quoted, words))


def _quoted(text: bytes) -> bytes:
    if text and _PLAIN.issuperset(text):
        return text
    return b"'" + text.replace(b"'", b"'\"'\"'") + b"'"
