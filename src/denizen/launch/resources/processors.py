"""The kernel's list of processors, for a root that has no /sys (pure over a FileView).

tcmalloc ends a program that cannot read which processors are possible (`NumCPUs` in its sysinfo.cc).
Only a kernel has sysfs, and an ordinary user may mount it nowhere that it is not mounted already.
"""

from __future__ import annotations

from denizen.launch.resources.command_paths import is_missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView

_SYS = b"/sys"
_PLACE = b"/sys/devices/system/cpu"
# Documentation/admin-guide/cputopology.rst of Linux
_LISTS = (b"possible", b"online")


def missing_processor_lists(view: FileView, count: int) -> dict[bytes, bytes]:
    """Return the lists that a host without /sys lacks: path -> content, for `count` processors."""
    if not count or not is_missing(view, _SYS):
        return {}
    content = b"0-%d\n" % (count - 1) if count > 1 else b"0\n"
    return {b"%b/%b" % (_PLACE, name): content for name in _LISTS}


def missing_processor_directories(view: FileView, count: int) -> tuple[bytes, ...]:
    """Return the directories of the processors.

    glibc before 2.35 counts them, and takes their number for that of all (linux/getsysstats.c).
    """
    return tuple(b"%b/cpu%d" % (_PLACE, one) for one in range(count)) if is_missing(view, _SYS) else ()
