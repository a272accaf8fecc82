"""Libraries of a program's earlier runs: which of those it opened or missed its next decision has.

launch/dlopen_record.py has the form of the record.
"""

from __future__ import annotations

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.launch.dlopen_record import Opened


def asked_by(session: Session, program: bytes) -> list[bytes]:
    """Return the names that the program asked for in earlier runs, so that a new decision provides them."""
    return sorted({one.soname for found in opened_by(session, program) for one in found.asked()})


def opened_by(session: Session, program: bytes) -> list[Opened]:
    """Return the records of libraries opened in the program's earlier runs; none if it is not a file."""
    from denizen.disk_view import DiskView
    from denizen.launch.decisions.program_identity import identity_of
    from denizen.launch.dlopen_record import all_of, decision_directories

    try:
        identity = identity_of(DiskView().stat(program))
    except OSError:
        return []
    return [
        one
        for decision_directory in decision_directories(session.paths.decisions)
        for one in all_of(decision_directory, identity)
    ]


def opened_lines(session: Session, program: bytes) -> Iterator[str]:
    """Yield a line for each library that was provided, and each that was missing, while the program ran."""
    for found in opened_by(session, program):
        for one in found.asked():
            packages = ", ".join(display(package.replace(b"=", b" ", 1)) for package in one.packages)
            yield f"opened at run time: {display(one.soname)}" + (f" ({packages})" if packages else "")
        for name, reason in found.denied().items():
            yield f"missed at run time: {display(name)}: {reason}"


def opened_document(session: Session, program: bytes) -> dict[str, object]:
    """Return the libraries provided and missing at run time as a document for --json."""
    found = opened_by(session, program)
    return {
        "came": [
            {"soname": display(a.soname), "packages": [*map(display, a.packages)], "size": a.size}
            for one in found
            for a in one.asked()
        ],
        "missed": {display(name): reason for one in found for name, reason in one.denied().items()},
    }
