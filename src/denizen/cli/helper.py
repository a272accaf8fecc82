"""What deciding takes from the invocation: this denizen as a command, the host as a world."""

from __future__ import annotations

import os
import sys

from denizen.cli.command import search_path
from denizen.cli.places import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.cli.command import Context
    from denizen.diagnose.subject import World
    from denizen.launch.tools import Tools
    from denizen.resolve.furnish import Supply
    from denizen.sources.fetch import FetchPolicy


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


def world_of(environ: Mapping[str, str], library_path: str = "") -> World:
    """Where a program is asked about before anything is decided: this host, with this LD_LIBRARY_PATH."""
    from denizen.diagnose.subject import World
    from denizen.host import gather_host
    from denizen.linker import Environment, cpu_of

    host = gather_host()
    cpu = cpu_of(host.cpu_level, host.cpu_vendor, host.cpu_flags)
    environment = Environment(os.fsencode(library_path) or None, cpu=cpu, kernel=host.kernel)
    return World(host, environment, search_path(environ), thorough=False)


def tools_of(context: Context) -> Tools:
    """The small compiled programs for this machine, as this invocation keeps them. Raises NoHome."""
    from denizen.launch.tools import Tools

    return Tools(places(context).tools, os.uname().machine)


def supply_of(context: Context, policy: FetchPolicy) -> Supply:
    """Where packages come from, and lie meanwhile. Raises BadSetting, NoKeyring, NoVerifier."""
    from denizen.build.realise import Silent
    from denizen.cli.indexes import sources_by_name
    from denizen.resolve.furnish import Supply
    from denizen.sources.opener import UrlOpener
    from denizen.sources.transport import HttpSettings, proxies_from

    jobs = len(os.sched_getaffinity(0))
    sources = sources_by_name(context, policy)
    opener = UrlOpener(HttpSettings(proxies=proxies_from(context.environ)), jobs)
    return Supply(sources, places(context).packages, opener, Silent(), jobs)
