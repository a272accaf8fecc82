"""`loader install`: the loader at the interpreter path of foreign programs, with its settings."""

from __future__ import annotations

import os

from denizen.app.denizen_command import own_command
from denizen.app.helper_command import helper_words
from denizen.app.session import tools_of
from denizen.disk_view import DiskView
from denizen.host import machine_name
from denizen.launch.command_links import COMMANDS
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_variants import beginning_for
from denizen.launch.decisions.public_copies import directories_for
from denizen.launch.loader.binaries import LoaderAbsent, loader_binary
from denizen.launch.loader.installation import install, must_be_roots
from denizen.launch.loader.loader_settings import HOST_PREFIXES, LoaderSettings
from denizen.launch.resources.command_paths import brings_commands
from denizen.machines import other_loader
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.launch.loader.configured_tools import Tools


def install_loader(session: Session, prefix: bytes, decisions: Sequence[str], *, nix_ld: bool) -> bytes:
    """Install the loader below `prefix`; return its path.

    Args:
        session: the invocation.
        prefix: the root of the system meant.
        decisions: directories of another installation, whose own denizen makes the decisions; () for ours.
        nix_ld: NIX_LD and NIX_LD_LIBRARY_PATH serve programs without a decision.

    Raises OthersMayChange, RealInterpreter, InstallFailed, LoaderAbsent, DiskFailed.
    """
    given = tuple(os.path.abspath(os.fsencode(path)) for path in decisions)
    directories = given or directories_for(os.geteuid(), session.paths.decisions)
    command = () if given else helper_words(session, "decide")
    if command and os.geteuid() == 0:
        for word in filter(os.path.isabs, own_command()):  # Python, and the file that it runs
            must_be_roots(os.fsencode(word))
    tools = tools_of(session)
    settings = LoaderSettings(
        directories=directories,
        command=command,
        resident=tools.resident(),
        generation=GENERATION,
        library_paths=tuple(map(beginning_for, directories)),
        nix_ld=nix_ld,
    )
    if command:
        settings = _with_children(settings, tools, os.path.join(directories[0], COMMANDS))
    machine = machine_name()
    return install(prefix, machine, loader_binary(machine), settings)


def _with_children(settings: LoaderSettings, tools: Tools, commands: bytes) -> LoaderSettings:
    """Return the settings with what starts children that the kernel cannot, and brings commands."""
    settings = replace(settings, brought=commands if brings_commands(DiskView()) else b"")
    machine = machine_name()
    other = other_loader(machine, machine)
    return replace(
        settings,
        exec_library=tools.exec_library(),
        starter=_starter(settings, tools),
        other_starter=_starter(settings, replace(tools, machine=other)) if other else b"",
    )


def _starter(settings: LoaderSettings, tools: Tools) -> bytes:
    try:
        inside = tools.inside()
        made = replace(settings, inside=inside, resident=tools.resident(), host_prefixes=HOST_PREFIXES)
        return tools.loader(made)
    except LoaderAbsent:
        return b""
