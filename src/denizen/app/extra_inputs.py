"""What a program opens at run time from where nobody would look: --with PATH, its virtual environment."""

from __future__ import annotations

import os

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.fileview import FileView
    from denizen.launch.dlopen_links import Opened


def added_to(view: FileView, program: bytes, wanted: RunRequest) -> tuple[bytes, ...]:
    """The objects themselves. Raises OSError: a place is not there."""
    places = [name for name in extra_for(program, wanted) if b"/" in name]
    if not places:
        return ()
    from denizen.resolve.targets import added_objects

    return added_objects(view, places, program)


def extra_for(program: bytes, wanted: RunRequest) -> list[bytes]:
    """Sonames, packages and paths to resolve besides; trees of modules are for Pythons alone."""
    from denizen.launch.virtualenv import extension_modules, is_python, site_packages

    trees = wanted.trees if wanted.trees and is_python(os.path.realpath(program)) else ()
    places = [place for tree in trees for place in site_packages(tree)]
    # A world that is chosen for the packages has to serve the interpreter's own modules too.
    places += extension_modules(program, trees)
    return [os.fsencode(name) for name in (*wanted.extra, *places)]


def wished(session: Session, names: Sequence[str], program: bytes) -> list[bytes]:
    """The same for commands that start nothing, from what was typed. Raises NotThere.

    What the program opened while it ran is asked for too.
    """
    from denizen.app.request import RunRequest, absolute, for_program

    wanted = for_program(RunRequest(extra=tuple(map(absolute, names))), program)
    return list(dict.fromkeys([*extra_for(program, wanted), *asked_by(session, program)]))


def asked_by(session: Session, program: bytes) -> list[bytes]:
    """Return the names that a program asked for while it ran: decided about again, it has them at once."""
    return sorted({one.soname for found in opened_by(session, program) for one in found.asked()})


def opened_by(session: Session, program: bytes) -> list[Opened]:
    """Return what is remembered of a program's runs; nothing where it is no file."""
    from denizen.disk import DiskView
    from denizen.launch.decisions.decision import identity_of
    from denizen.launch.dlopen_links import all_of, shelves_of

    try:
        identity = identity_of(DiskView().stat(program))
    except OSError:
        return []
    return [one for shelf in shelves_of(session.paths.decisions) for one in all_of(shelf, identity)]


def opened_lines(session: Session, program: bytes) -> Iterator[str]:
    """Yield what came, and what was missed, while the program ran."""
    for found in opened_by(session, program):
        for one in found.asked():
            packages = ", ".join(display(package.replace(b"=", b" ", 1)) for package in one.packages)
            yield f"opened at run time: {display(one.soname)}" + (f" ({packages})" if packages else "")
        for name, reason in found.denied().items():
            yield f"missed at run time: {display(name)}: {reason}"


def opened_document(session: Session, program: bytes) -> dict[str, object]:
    """Return the same for --json."""
    found = opened_by(session, program)
    return {
        "came": [
            {"soname": display(a.soname), "packages": [*map(display, a.packages)], "size": a.size}
            for one in found
            for a in one.asked()
        ],
        "missed": {display(name): reason for one in found for name, reason in one.denied().items()},
    }
