"""Owner, mode and extended attributes that a changed file keeps of the old one."""

from __future__ import annotations

import errno
import os
import stat


def give_attributes(old: int, new: int, facts: os.stat_result, *, whole: bool) -> tuple[str, ...]:
    """Give an open file the attributes of another; return those that cannot be given.

    `whole`: with owner and set-user-ID, as for the same file; else as a copy has them.
    """
    lost = []
    mode = stat.S_IMODE(facts.st_mode)
    if whole and (facts.st_uid, facts.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(new, facts.st_uid, facts.st_gid)
        except PermissionError:
            lost.append("owner")
            mode &= 0o777
    os.fchmod(new, mode if whole else mode & 0o777)
    for name in os.listxattr(old):
        if not whole and name == "security.capability":
            continue
        try:
            os.setxattr(new, name, os.getxattr(old, name))
        except OSError as problem:
            if problem.errno not in (errno.EPERM, errno.EACCES, errno.ENOTSUP):
                raise
            lost.append(name)
    return tuple(lost)


def give_back_attributes(source: int, target: int, facts: os.stat_result) -> tuple[str, ...]:
    """Give an open file what the kernel took from it when it was written to; return what cannot be given.

    Linux takes set-user-ID from what an ordinary user writes to, and capabilities from what anybody does
    (fs/inode.c, file_remove_privs). `source` has the attributes that the file had.
    """
    lost = []
    mode = stat.S_IMODE(facts.st_mode)
    if stat.S_IMODE(os.fstat(target).st_mode) != mode:
        try:
            os.fchmod(target, mode)
        except PermissionError:
            lost.append("set-user-ID")
    there = os.listxattr(target)
    for name in [one for one in os.listxattr(source) if one not in there]:
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except PermissionError:
            lost.append(name)
    return tuple(lost)
