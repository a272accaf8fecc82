"""Libraries that a program opens at run time and that users name: by --with or a virtual environment.

launch/virtualenv.py says which directories a Python's modules are in.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fileview import FileView


def added_to(view: FileView, program: bytes, wanted: RunRequest) -> tuple[bytes, ...]:
    """Return the paths of the objects that --with and virtual environments name.

    Raises OSError: a place is missing.
    """
    places = [name for name in extra_for(program, wanted) if b"/" in name]
    if not places:
        return ()
    from denizen.resolve.directory_objects import added_objects

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
    from denizen.app.resolution.earlier_runs import asked_by
    from denizen.app.start_request import RunRequest, absolute, for_program

    wanted = for_program(RunRequest(extra=tuple(map(absolute, names))), program)
    return list(dict.fromkeys([*extra_for(program, wanted), *asked_by(session, program)]))
