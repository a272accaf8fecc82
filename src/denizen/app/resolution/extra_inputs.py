"""Libraries that a program opens at run time and that users name: by --with or a virtual environment.

launch/virtualenv.py says which directories a Python's modules are in.
"""

from __future__ import annotations

import os

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fileview import FileView
    from denizen.launch.dlopen_record import Opened


def added_to(view: FileView, program: bytes, wanted: RunRequest) -> tuple[bytes, ...]:
    """Return the paths of the objects that --with and virtual environments name.

    Raises OSError: a place is missing.
    """
    places = [name for name in extra_for(program, wanted) if b"/" in name]
    if not places:
        return ()
    from denizen.resolve.targets import added_objects

    return added_objects(view, places, program)


def extra_for(program: bytes, wanted: RunRequest) -> list[bytes]:
    """Return the sonames, packages and paths to resolve in addition.

    Trees of modules only for Python interpreters.
    """
    from denizen.launch.virtualenv import extension_modules, is_python, site_packages

    trees = wanted.trees if wanted.trees and is_python(os.path.realpath(program)) else ()
    places = [place for tree in trees for place in site_packages(tree)]
    # The libraries that are chosen have to serve the interpreter's own modules too.
    places += extension_modules(program, trees)
    return [os.fsencode(name) for name in (*wanted.extra, *places)]


def wished(session: Session, names: Sequence[str], program: bytes) -> list[bytes]:
    """Return the additional sonames, packages and paths for a command that starts nothing.

    Raises NoSuchProgram.

    `names` are the command's words. The libraries that the program opened in earlier runs are included.
    """
    from denizen.app.start_request import RunRequest, absolute, for_program

    wanted = for_program(RunRequest(extra=tuple(map(absolute, names))), program)
    return list(dict.fromkeys([*extra_for(program, wanted), *asked_by(session, program)]))


def asked_by(session: Session, program: bytes) -> list[bytes]:
    """Return the names that the program asked for in earlier runs, so that a new decision provides them."""
    return sorted({one.soname for found in opened_by(session, program) for one in found.asked()})


def opened_by(session: Session, program: bytes) -> list[Opened]:
    """Return the records of libraries opened in the program's earlier runs; none if it is not a file."""
    from denizen.disk import DiskView
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
