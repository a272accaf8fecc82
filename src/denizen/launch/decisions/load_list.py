"""The load list of a decision, from a closure: breadth-first, with pinned and renamed libraries (pure)."""

from __future__ import annotations

from denizen.launch.decisions.decision import DecisionLibrary
from denizen.linker.rule_tables import INTERPRETER, PATH, RPATH, RUNPATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.linker import Closure
    from denizen.linker import LoadedLibrary as Linked


# The libraries of glibc, built together (its Makefile, `subdirs`; formerly libcrypt and libnsl too):
# a copy of another build asks for GLIBC_PRIVATE and dies. A vendor's LD_LIBRARY_PATH often leads to one.
C_LIBRARY = frozenset(
    b"libc.so.6 libm.so.6 libmvec.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 "
    b"libanl.so.1 libthread_db.so.1 libBrokenLocale.so.1 libnss_files.so.2 libnss_dns.so.2 libcrypt.so.1 "
    b"libnsl.so.1".split()
)


def libraries_of(closure: Closure) -> tuple[DecisionLibrary, ...]:
    """Return the libraries of a decision: all that were found, in the order in which symbols are looked up.

    The dynamic linker is left out, as it is loaded before, and so are libraries without a file.
    """
    return tuple(
        DecisionLibrary(linked.path, linked.soname, pinned=_pinned(closure, linked), renamed=_renamed(linked))
        for linked in closure.scope
        if linked.path is not None
        and linked.image is not None
        and linked is not closure.program
        and linked.rule is not INTERPRETER
    )


def _pinned(closure: Closure, linked: Linked) -> bool:
    """Tell whether the library comes before LD_LIBRARY_PATH, or whether a search would not find it again."""
    if linked.soname in C_LIBRARY:
        return True
    through_another = linked.rule is RUNPATH and linked.needed_by != closure.program.path
    return linked.rule in (RPATH, PATH) or through_another or b"/" in linked.soname


def _renamed(linked: Linked) -> bool:
    """Tell whether ld.so, having loaded the library by path, does not know it by its name in the decision."""
    assert linked.image is not None
    dynamic = linked.image.dynamic
    return b"/" not in linked.soname and (dynamic is None or dynamic.soname != linked.soname)
