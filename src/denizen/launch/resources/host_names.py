"""The files that say where names of hosts are looked up, for a root without them (pure over a FileView).

No package has /etc/hosts: an installer writes it. Without it nobody knows `localhost`; and glibc without an
nsswitch.conf asks a name server first, and takes its word (nss/nss_database.c).
"""

from __future__ import annotations

import posixpath

from denizen.fhs.host_etc import DEFAULT_HOSTS, DEFAULT_NSSWITCH
from denizen.fileview import exists
from denizen.launch.resources.command_paths import is_missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView

_HOSTS = b"/etc/hosts"
# Of netbase, which comes for programs that look up names of hosts or services.
_SERVICES = b"etc/services"
_CONTENT = {_HOSTS: DEFAULT_HOSTS, b"/etc/nsswitch.conf": DEFAULT_NSSWITCH}


def missing_host_names(view: FileView, trees: Sequence[bytes], *, whole: bool = False) -> dict[bytes, bytes]:
    """Return the files that a host lacks: path -> content; {} where it has hosts, or no name is looked up.

    `whole`: the trees have a whole /etc, as which every program expects these.
    """
    names = whole or any(exists(view, posixpath.join(tree, _SERVICES)) for tree in trees)
    if not names or not is_missing(view, _HOSTS):
        return {}
    return {path: content for path, content in _CONTENT.items() if is_missing(view, path)}
