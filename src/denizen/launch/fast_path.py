"""Starting a program that is decided: the only part of denizen that most runs of `denizen run` see.

Nothing is imported here that reads ELF files, packages or the store. What is missing or in doubt is None, and
the caller decides anew.
"""

from __future__ import annotations

import os
import stat

from denizen.launch.decisions.decision import Identity, file_name
from denizen.launch.decisions.decision_codec import MAX_SIZE, DamagedDecision, decode
from denizen.launch.inherited import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.launch.decisions.decision import Decision

# The time of everything in the store (store.trees.restore.STORE_TIMES).
STORE_TIME_NS = 1_000_000_000
# In each decision directory: a link to the loader that reads it, for programs started through it.
LOADER_LINK = b"loader"
# Below the plain directory: one for each set of options that decisions were made with.
VARIANTS = b"with"


def directory_of(decisions: bytes, variant: bytes) -> bytes:
    """Where the decisions made with a set of options are; b"" for none."""
    return os.path.join(decisions, VARIANTS, variant) if variant else decisions


def decided(directory: bytes, program: bytes, since: int = 0) -> Decision | None:
    """The decision for the file at `program` that still holds. Raises OSError: there is no such file.

    `since`, in nanoseconds since 1970: what was decided before then does not hold.
    """
    facts = os.stat(program)
    identity = Identity(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    path = os.path.join(directory, file_name(identity))
    found = read_decision(path)
    if found is None or found.identity != identity or (since and os.stat(path).st_mtime_ns < since):
        return None
    return None if lacks(found) else found


def lacks(decision: Decision) -> bool:
    """Whether a tree it needs is gone, or a file of the store's is gone, cut short or written to."""
    return not (all(map(os.path.exists, decision.objects)) and all(map(untouched, stored(decision))))


def untouched(path: bytes) -> bool:
    """Return whether a file of the store is there with the time the store gave it: nobody wrote to it since.

    What changes a file's content without its time (a failing disk) is found by reading it: `store verify`.
    """
    try:
        return os.stat(path).st_mtime_ns == STORE_TIME_NS
    except OSError:
        return False


def stored(decision: Decision) -> Iterator[bytes]:
    """Those of its files that lie in the store; in an environment some have a path that is only there."""
    if decision.search:
        store = os.path.dirname(decision.search) + b"/"
        files = (decision.ldso, *(library.path for library in decision.libraries))
        yield from (path for path in files if path.startswith(store))


def read_decision(path: bytes) -> Decision | None:
    """A decision that may be believed: whole, and written by this user or root, by nobody else."""
    try:
        with open(path, "rb", buffering=0) as stream:
            facts = os.fstat(stream.fileno())
            content = stream.read(MAX_SIZE + 1)
    except OSError:
        return None
    trusted = facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    try:
        return decode(content) if trusted else None
    except DamagedDecision:
        return None


def start(directory: bytes, decision: Decision, program: bytes, arguments: list[bytes]) -> None:
    """Become the program; `program` is what it is to be called by. Raises OSError where that fails."""
    _forget_coercion()
    if decision.command:
        become(decision.command[0], [*decision.command, program, *arguments])
    if decision.host:
        become(program, [program, *arguments])
    loader = os.readlink(os.path.join(directory, LOADER_LINK))
    become(loader, [b"denizen-loader", program, *arguments])


def _forget_coercion() -> None:
    """In the C locale Python sets LC_CTYPE for its children (PEP 538); the program sees what was given."""
    if b"LC_CTYPE" not in os.environb:
        return
    try:
        with open("/proc/self/environ", "rb", buffering=0) as stream:
            given = stream.read()
    except OSError:
        return
    if not given.startswith(b"LC_CTYPE=") and b"\0LC_CTYPE=" not in given:
        del os.environb[b"LC_CTYPE"]
