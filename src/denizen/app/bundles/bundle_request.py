"""The request for a bundle: the program, and the place of the bundle."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.appimage_bundle import AppFiles
    from denizen.app.bundles.program_closure import ClosureRequest


class CarriedScript(Value):
    """A script that is carried with its interpreter.

    Attributes:
        path: of the script, links followed.
        tree: the directory that goes with it, b"" for the script alone.
    """

    path: bytes
    tree: bytes = b""


class BundleRequest(Value):
    """The program to bundle, and the place of the bundle.

    Attributes:
        closure: the program, with the options of its resolution.
        target: the file or directory to make.
        directory: make a directory.
        tree: a directory that goes with the program as a whole, b"" for none.
        level: of Zstandard, 1 to 22; None for what is smallest and still unpacked soon.
        arguments: those that the program gets before those of the start, with paths in the tree as they are
            where it is unpacked to.
        children: with denizen-inside: programs that it starts are started as by `denizen run`, and packages'
            files are at their paths; else both are the host's.
        beside: the name of a launcher in the directory that the one file unpacks to; b"" for none.
        app: make an AppImage, with these files of its own; None for a plain bundle.
        script: of which the program is the interpreter; None where it is started for itself.
        name: of the launcher in a directory; b"" for the program's own.
    """

    closure: ClosureRequest
    target: bytes
    directory: bool = False
    tree: bytes = b""
    level: int | None = None
    arguments: tuple[bytes, ...] = ()
    children: bool = True
    beside: bytes = b""
    app: AppFiles | None = None
    script: CarriedScript | None = None
    name: bytes = b""
