"""The C library's own libraries: built together, and never mixed with another build's (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image

# The libraries of glibc, built together (its Makefile, `subdirs`; formerly libcrypt and libnsl too):
# a copy of another build asks for GLIBC_PRIVATE and dies. A vendor's LD_LIBRARY_PATH often leads to one.
C_LIBRARY = frozenset(
    b"libc.so.6 libm.so.6 libmvec.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 "
    b"libanl.so.1 libthread_db.so.1 libBrokenLocale.so.1 libnss_files.so.2 libnss_dns.so.2 libcrypt.so.1 "
    b"libnsl.so.1".split()
)
# Those of them that glibc itself never opens: its name service opens libnss_* and libresolv.
ONLY_WHERE_NEEDED = frozenset(
    b"libm.so.6 libmvec.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libanl.so.1".split()
)
# The version of the interfaces that they share among themselves.
GLIBC_PRIVATE = b"GLIBC_PRIVATE"


def is_part_of_libc(image: Image) -> bool:
    """Return whether the object uses GLIBC_PRIVATE interfaces of its own glibc.

    A copy of such a library cannot be used with another glibc's libc.so.6.
    """
    return any(version.name == GLIBC_PRIVATE for need in image.version_needs for version in need.versions)
