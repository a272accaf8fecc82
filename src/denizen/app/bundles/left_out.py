"""Files of a program's packages that are left out of its bundle, for nothing in it needs them.

The host's drivers are in no package that is chosen (resolve/rules.toml).
"""

from __future__ import annotations

import os

from denizen.launch.bundle_layout import DATA
from denizen.launch.program import once_read
from denizen.linker.c_library import C_LIBRARY, ONLY_WHERE_NEEDED
from denizen.resolve.cache.cached_view import CachedView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.program_closure import ProgramClosure

# glibc's name service. Since 2.34 it is a part of libc.so.6, and these are for programs that were linked with
# them; before, libnss_dns needs libresolv.
_NAME_SERVICE = (b"libnss_dns.so.2", b"libnss_files.so.2", b"libresolv.so.2")

# Zones that count leap seconds, 400 files: Debian 13 has them in tzdata-legacy, which nothing depends on.
LEFT_OUT = (DATA + b"/usr/share/zoneinfo/right/",)


def parts_nothing_needs(closure: ProgramClosure) -> frozenset[bytes]:
    """Return the names of parts of glibc that are for others than the objects of a program's decision.

    libm is a third of a small program's bundle, libresolv 20 KB.
    """
    servers = os.path.join(closure.decision.search, _NAME_SERVICE[0])
    apart: tuple[bytes, ...] = ()
    if os.path.exists(servers):
        dynamic = CachedView(once_read(closure.program)).image(os.path.realpath(servers)).dynamic
        apart = _NAME_SERVICE if dynamic is not None and _NAME_SERVICE[2] not in dynamic.needed else ()
    return ONLY_WHERE_NEEDED.union(apart) - {one.name for one in closure.decision.libraries}


def converts_text(closure: ProgramClosure) -> bool:
    """Tell whether the program or one of its libraries but the C library itself converts character sets.

    The converters of glibc are 8 MB.
    """
    view = CachedView(once_read(closure.program))
    paths = [closure.program.path]
    paths += [one.path for one in closure.decision.libraries if one.name not in C_LIBRARY]
    return any(b"iconv_open" in view.image(path).symbols.undefined_names for path in paths)
