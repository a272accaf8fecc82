"""The start of a program by its kept decision: the only part of denizen that most runs of `denizen run` load.

No module is imported here that reads ELF files, packages or the store. If anything is missing or in doubt,
the result is None and the caller makes a new decision.
"""

from __future__ import annotations

import os

from denizen.launch.decisions import MAX_SIZE
from denizen.launch.process_state import become
from denizen.trust import is_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.launch.decisions.decision import Decision

# The mtime of every file in the store, in ns (store.trees.canonical.STORE_TIMES).
STORE_TIME_NS = 1_000_000_000
# The link, in each decision directory, to the loader that reads it.
LOADER_LINK = b"loader"
# The subdirectory of the plain directory that holds one directory for each set of options.
VARIANTS = b"with"
# How the names of the directories begin that hold decisions about commands of profiles.
INSTALLED = b"installed"
# Decisions about commands of profiles and programs of environments, by the object and the program's name.
NAMED = b"named"
# Of the object, its hash: the beginning of such a decision's name.
NAME_DIGITS = 32


def directory_of(decisions: bytes, variant: bytes) -> bytes:
    """Return the directory of the decisions made with a set of options; b"" is the default set."""
    return os.path.join(decisions, VARIANTS, variant) if variant else decisions


def name_of_decision(place: bytes, program: bytes) -> bytes:
    """Return the name by which the loader looks for a decision about a program of the object at `place`.

    loader/run_as_program.c has it too (launch_name_decision).
    """
    return os.path.basename(place)[:NAME_DIGITS] + b"-" + os.path.basename(program)


def decided(directory: bytes, program: bytes, since: int = 0) -> Decision | None:
    """Return the valid decision for the file at `program`; None for none.

    Raises OSError: there is no such file.

    Decisions made before `since`, in nanoseconds since 1970, are not valid.
    """
    from denizen.launch.decisions.program_identity import Identity, identity_name

    facts = os.stat(program)
    identity = Identity(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    path = os.path.join(directory, identity_name(identity))
    found = read_decision(path)
    if found is None or found.identity != identity or (since and os.stat(path).st_mtime_ns < since):
        return None
    return None if lacks(found) else found


def lacks(decision: Decision) -> bool:
    """Tell whether a tree that the decision needs, or a file in the store, is missing or was modified."""
    return not (all(map(os.path.exists, decision.objects)) and all(map(untouched, stored(decision))))


def untouched(path: bytes) -> bool:
    """Return whether nobody wrote to a file of the store: it exists with the time that the store gave it.

    A change of content without a change of time (a failing disk) is found by reading the file: `store
    verify`.
    """
    try:
        return os.stat(path).st_mtime_ns == STORE_TIME_NS
    except OSError:
        return False


def stored(decision: Decision) -> Iterator[bytes]:
    """Return the decision's files that lie in the store.

    Other files are left out: in an environment some have a path that exists only there.
    """
    return stored_among((decision.ldso, *(one.path for one in decision.libraries)), decision.search)


def stored_among(files: Iterable[bytes], search: bytes) -> Iterator[bytes]:
    """Yield those of a decision's files that lie in the store, where its directory of libraries is."""
    store = os.path.dirname(search) + b"/"
    return (path for path in files if search and path.startswith(store))


def read_decision(path: bytes) -> Decision | None:
    """Return the decision in a file that is undamaged and that only this user or root could write.

    Return None otherwise.
    """
    # 1 ms that an installation of known commands does not pay (app.profiles.decided_command).
    from denizen.launch.decisions.decision_codec import DamagedDecision, decode

    content = trusted_content(path)
    try:
        return decode(content) if content is not None else None
    except DamagedDecision:
        return None


def trusted_content(path: bytes) -> bytes | None:
    """Return what a decision's file has, if only this user or root could write it; None otherwise."""
    try:
        with open(path, "rb", buffering=0) as stream:
            facts = os.fstat(stream.fileno())
            content = stream.read(MAX_SIZE + 1)
    except OSError:
        return None
    return content if is_trusted(facts) else None


def start(directory: bytes, decision: Decision, program: bytes, arguments: list[bytes]) -> None:
    """Become the program, with `program` as its argv[0]. Raises OSError."""
    _forget_coercion()
    if decision.command:
        become(decision.command[0], [*decision.command, program, *arguments])
    if decision.host:
        become(program, [program, *arguments])
    loader = os.readlink(os.path.join(directory, LOADER_LINK))
    become(loader, [b"denizen-loader", program, *arguments])


def _forget_coercion() -> None:
    """Remove the LC_CTYPE that Python itself sets in the C locale (PEP 538).

    The program is to get the caller's variables.
    """
    if b"LC_CTYPE" not in os.environb:
        return
    try:
        with open("/proc/self/environ", "rb", buffering=0) as stream:
            given = stream.read()
    except OSError:
        return
    if not given.startswith(b"LC_CTYPE=") and b"\0LC_CTYPE=" not in given:
        del os.environb[b"LC_CTYPE"]
