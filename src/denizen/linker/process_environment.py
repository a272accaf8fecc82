"""Environment, the inputs of a dynamic linker that are not files: variables, processor, kernel (pure).

Only the command line reads the real environment; tests, plans for another machine and trees that do not
exist yet are given one of their own.
"""

from __future__ import annotations

from denizen.linker.hwcaps import Cpu
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.linker.built_in_rules import Interpreter
    from denizen.linker.search_results import Answers


class LinkerStart(Enum):
    """The one who maps the program; it decides the program's `$ORIGIN` and the names it is found by."""

    KERNEL = "kernel"  # execve: /proc/self/exe, links resolved
    INTERPRETER = "interpreter"  # ld.so PROGRAM: the path as it was given


class Environment(Value):
    """One start of one program.

    Attributes:
        library_path: LD_LIBRARY_PATH; None and b"" mean the same.
        preload: LD_PRELOAD.
        secure: AT_SECURE: the program is set-user-ID or the like.
        cpu: the processor's features.
        kernel: release of the running kernel, compared with the oldest one an object asks for.
        directory: the working directory, for relative paths.
        start: the one who maps the program.
        interpreter: the dynamic linker to model; None: the one the program names, read through the view.
        interpreter_path: the path it is invoked by when it differs from the one the program names.
        vdso: the name of the kernel's own object; None: the machine's usual one; b"": there is none
            (user-mode emulation, vdso=0).
        needed: libraries to load instead of the program's DT_NEEDED.
        runpath: a DT_RUNPATH to give to the program instead of its own search paths.
        extra_directories: searched last, after everything the dynamic linker itself would search.
        parse: parses files instead of `elf.read`, for callers that cache parsed files.
        answers: cache of search results, for callers that resolve many programs while no file changes.
    """

    library_path: bytes | None = None
    preload: bytes | None = None
    secure: bool = False
    cpu: Cpu = Cpu()
    kernel: tuple[int, int, int] | None = None
    directory: bytes = b"/"
    start: LinkerStart = LinkerStart.KERNEL
    interpreter: Interpreter | None = None
    interpreter_path: bytes | None = None
    vdso: bytes | None = None
    needed: tuple[bytes, ...] | None = None
    runpath: bytes | None = None
    extra_directories: tuple[bytes, ...] = ()
    parse: Callable[[Buffer], Image] | None = None
    answers: Answers | None = None
