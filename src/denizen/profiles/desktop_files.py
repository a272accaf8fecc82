"""Desktop entries, D-Bus services and systemd user units of a package, for a profile (pure).

They name programs by their paths on a whole system, `/usr/bin/gimp`, where a profile has none. A line of Exec
or TryExec gets the command's bare name, which a desktop looks up in its PATH (Desktop Entry Specification
1.5, "The Exec key"). D-Bus and systemd look nothing up, so their lines begin with /usr/bin/env.
"""

from __future__ import annotations

from denizen.lazy_pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

_LOOKED_UP = pattern(rb"(?m)^(?P<key>(?:Exec|TryExec)[ \t]*=[ \t]*)(?P<quote>\"?)(?P<path>/[^\s\"]+)")
_PLAIN = pattern(
    rb"(?m)^(?P<key>Exec(?:Start|StartPre|StartPost|Stop|Reload|Condition)?[ \t]*=[ \t]*[-@:+!]*)"
    rb"(?P<path>/[^\s\"]+)"
)
_ENTRY = b"[Desktop Entry]"


def rewritten(text: bytes, commands: Mapping[bytes, bytes]) -> bytes:
    """Return the text with the paths of `commands` replaced by their names."""

    def bare(match: re.Match[bytes]) -> bytes:
        name = _command(match["path"], commands)
        return match["key"] + match["quote"] + name if name else match[0]

    def through_env(match: re.Match[bytes]) -> bytes:
        name = _command(match["path"], commands)
        return match["key"] + b"/usr/bin/env " + name if name else match[0]

    return _LOOKED_UP.sub(bare, text) if _ENTRY in text else _PLAIN.sub(through_env, text)


def names_programs(text: bytes, commands: Mapping[bytes, bytes]) -> bool:
    """Tell whether a text would be changed."""
    return rewritten(text, commands) != text


def _command(path: bytes, commands: Mapping[bytes, bytes]) -> bytes:
    merged = b"/usr" + path if path.startswith((b"/bin/", b"/sbin/")) else path
    return commands.get(merged, b"")
