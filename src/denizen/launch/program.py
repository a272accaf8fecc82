"""A program on its way to a start: its file read and classified once, for all who ask about it."""

from __future__ import annotations

from denizen.elf.classify import classify
from denizen.host import machine_name
from denizen.machines import interpreter_of_kernel
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Classification, Image
    from denizen.elf.script import Script
    from denizen.fileview import FileView, Stat


@value
class Program:
    """A file that is to be started.

    Attributes:
        view: the tree that the file was found in.
        path: its absolute path.
        stat: the facts of the file that was classified.
        classification: what kind of file it is; its ELF image, or its interpreter line.
        interpreter: the path where its dynamic linker belongs; where the file names none, the path that
            programs of this machine usually name.
    """

    view: FileView
    path: bytes
    stat: Stat
    classification: Classification
    interpreter: bytes

    @property
    def image(self) -> Image | None:
        """The ELF file; None for a script or anything else."""
        return self.classification.image

    @property
    def script(self) -> Script | None:
        """The interpreter line; None where the file is no script, or has a line that `env` refuses."""
        return self.classification.script


def open_program(view: FileView, path: bytes) -> Program:
    """Return the program at `path` (absolute); what may not be read is of no known kind.

    Raises:
        OSError: there is no such file, or its facts may not be asked for.
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
