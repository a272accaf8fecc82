"""The command by which something outside this process calls this very denizen again."""

from __future__ import annotations

import os
import sys

from denizen.cli.places import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.command import Context


def helper_words(context: Context, command: str, options: Sequence[str] = ()) -> tuple[bytes, ...]:
    """`command` of this installation with these places, in any environment. Raises NoHome."""
    # -P: the working directory of a foreign program is no place to import from.
    words = [sys.executable, "-P", "-m", "denizen", command]
    if context.root is not None:
        words += ["--root", os.path.abspath(context.root)]
    elif command == "decide":
        words += [word for setting in _settings(context) for word in ("--set", setting)]
    return tuple(os.fsencode(word) for word in (*words, *options))


def _settings(context: Context) -> list[str]:
    """The XDG directories, as `decide --set` takes them."""
    place = places(context)
    directories = {
        "XDG_DATA_HOME": place.data,
        "XDG_STATE_HOME": place.state,
        "XDG_CACHE_HOME": place.cache,
        "XDG_CONFIG_HOME": place.config,
    }
    return [f"{name}={os.fsdecode(os.path.dirname(path))}" for name, path in directories.items()]
