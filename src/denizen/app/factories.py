"""Helper commands, the host as the linker sees it, and tools, made from the invocation for decisions."""

from __future__ import annotations

import os

from denizen.app.denizen_command import own_command
from denizen.app.session import search_path
from denizen.host import machine_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.app.session import Session
    from denizen.diagnose.program_facts import HostWorld
    from denizen.launch.loader.tools import Tools
    from denizen.resolve.installation.install import Supply
    from denizen.sources.fetch_policy import FetchPolicy


def helper_words(session: Session, command: str, options: Sequence[str] = ()) -> tuple[bytes, ...]:
    """Return the words that run `command` of this installation with these places. Raises NoHome."""
    words = [*own_command(), command]
    if session.root is not None:
        words += ["--root", os.path.abspath(session.root)]
    if command == "decide":
        # The loader starts its helper with no environment: the variables it needs become arguments.
        places_set = [] if session.root is not None else _directories(session)
        words += [word for setting in (*places_set, *_proxies(session)) for word in ("--set", setting)]
    return tuple(os.fsencode(word) for word in (*words, *options))


def _proxies(session: Session) -> list[str]:
    """Return the proxies as arguments of `decide --set`.

    Passwords are left out: other users can read a process's arguments.
    """
    from denizen.sources.proxies import proxies_from

    return [f"{scheme}_proxy={text}" for scheme, text in proxies_from(session.environ) if "@" not in text]


def _directories(session: Session) -> list[str]:
    """Return the XDG directories as arguments of `decide --set`."""
    place = session.paths
    directories = {
        "XDG_DATA_HOME": place.data,
        "XDG_STATE_HOME": place.state,
        "XDG_CACHE_HOME": place.cache,
        "XDG_CONFIG_HOME": place.config,
    }
    return [f"{name}={os.fsdecode(os.path.dirname(path))}" for name, path in directories.items()]


def world_of(environ: Mapping[str, str], interpreter: bytes, library_path: str = "") -> HostWorld:
    """Return this host as the linker sees it, with the user's LD_LIBRARY_PATH.

    Args:
        environ: the variables; PATH is used.
        interpreter: the program's interpreter (PT_INTERP); a relative one counts from the working directory.
        library_path: the LD_LIBRARY_PATH in absolute paths, "" for none.
    """
    from denizen.diagnose.program_facts import HostWorld
    from denizen.host import gather_host
    from denizen.linker import Environment, cpu_of
    from denizen.value import replace

    host = gather_host()
    cpu = cpu_of(host.machine, host.cpu_vendor, host.cpu_flags)
    environment = Environment(os.fsencode(library_path) or None, cpu=cpu, kernel=host.kernel)
    if not interpreter.startswith(b"/"):
        environment = replace(environment, interpreter_path=os.path.abspath(interpreter))
    return HostWorld(host, environment, search_path(environ), thorough=False)


def tools_of(session: Session) -> Tools:
    """Return denizen's small compiled programs for this machine, from the session's directory.

    Raises NoHome.
    """
    from denizen.launch.loader.tools import Tools

    return Tools(session.paths.tools, machine_name())


def supply_of(session: Session, policy: FetchPolicy) -> Supply:
    """Return the sources of packages with the cache directory and the opener.

    Raises BadSetting, NoKeyring, NoVerifier.
    """
    from denizen.app.supply.configured_sources import sources_by_name
    from denizen.build.realise import SilentBuild
    from denizen.resolve.installation.install import Supply
    from denizen.sources.proxies import proxies_from
    from denizen.sources.transport import HttpSettings
    from denizen.sources.url_opener import UrlOpener

    jobs = len(os.sched_getaffinity(0))
    sources = sources_by_name(session, policy)
    opener = UrlOpener(HttpSettings(proxies=proxies_from(session.environ)), jobs)
    return Supply(sources, session.paths.packages, opener, SilentBuild(), jobs)
