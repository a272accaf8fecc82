"""A program that is to be started: its file is read and classified once."""

from __future__ import annotations

from denizen.elf.classify import STATIC_KINDS, classify
from denizen.host import machine_name
from denizen.machines import interpreter_of_kernel
from denizen.resolve.cache.cached_view import ParsedFile
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Classification, Image
    from denizen.elf.script import Script
    from denizen.fileview import FileView, Stat


class Program(Value):
    """A file that is to be started.

    Attributes:
        view: the file tree.
        path: its absolute path.
        stat: the status of the file that was classified.
        classification: the kind of the file, with its ELF image or its interpreter line.
        interpreter: the path of its dynamic linker; if the file names none, the usual one of this machine.
    """

    view: FileView
    path: bytes
    stat: Stat
    classification: Classification
    interpreter: bytes

    @property
    def image(self) -> Image | None:
        """The ELF image; None for a script or any other file."""
        return self.classification.image

    @property
    def starts_others(self) -> bool:
        """Tell whether it is a static program that can execute others."""
        image = self.image
        return image is not None and self.classification.kind in STATIC_KINDS and image.starts_others

    @property
    def script(self) -> Script | None:
        """The interpreter line; None if the file is not a script, or has a line that `env` refuses."""
        return self.classification.script


def once_read(program: Program, view: FileView | None = None) -> FileView:
    """Return `view`, or the program's own, with the program's file as it was read and parsed before."""
    view = view or program.view
    return view if program.image is None else ParsedFile(view, program.path, program.stat, program.image)


def open_program(view: FileView, path: bytes) -> Program:
    """Return the program at `path` (absolute); a file that cannot be read has no known kind.

    Raises:
        OSError: there is no such file, or its status cannot be read.
        BadInput: the name of its dynamic linker cannot be read.
    """
    stat = view.stat(path)
    try:
        found = classify(view.read(path))
    except FileNotFoundError:
        raise
    except OSError:
        found = classify(b"\0")
    named = found.image.interpreter if found.image is not None else None
    interpreter = named if named is not None else interpreter_of_kernel(machine_name())
    return Program(view, path, stat, found, interpreter)
