"""The dynamic linker's environment on this host: processor, kernel, LD_LIBRARY_PATH, interpreter."""

from __future__ import annotations

import os

from denizen.app.session import search_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.diagnose.program_facts import HostContext


def host_context(environ: Mapping[str, str], interpreter: bytes, library_path: str = "") -> HostContext:
    """Return this host as the linker sees it, with the user's LD_LIBRARY_PATH.

    Args:
        environ: the variables; PATH is used.
        interpreter: the program's interpreter (PT_INTERP); a relative one counts from the working directory.
        library_path: the LD_LIBRARY_PATH in absolute paths, "" for none.
    """
    from denizen.diagnose.program_facts import HostContext
    from denizen.host import gather_host
    from denizen.linker import Environment, cpu_of
    from denizen.value import replace

    host = gather_host()
    cpu = cpu_of(host.machine, host.cpu_vendor, host.cpu_flags)
    environment = Environment(os.fsencode(library_path) or None, cpu=cpu, kernel=host.kernel)
    if not interpreter.startswith(b"/"):
        environment = replace(environment, interpreter_path=os.path.abspath(interpreter))
    return HostContext(host, environment, search_path(environ), thorough=False)
