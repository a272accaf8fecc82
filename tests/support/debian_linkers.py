"""The dynamic linkers of Debian's suites, fetched once and kept."""

import os
import re
import tempfile
from functools import cache
from pathlib import Path

from tests.support.elf_builder import Elf, build
from tests.support.kept_files import kept
from tests.support.real_archive import files_of, real_archive, resolve_program

_LINKER = re.compile(rb"/ld-(2\.\d+\.so|linux-x86-64\.so\.2)$")
_PROGRAM = build(Elf(interpreter=b"/lib64/ld-linux-x86-64.so.2", needed=(b"libc.so.6",)))


@cache
def linker_of(suite: str) -> Path:
    """Return the x86-64 dynamic linker that a program gets from a suite alone."""
    context = real_archive()
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "program")
        program.write_bytes(_PROGRAM)
        packages = resolve_program(context, program, [suite]).packages
    (pin,) = [pin for pin in packages if pin.name == b"libc6"]

    def make(directory: Path) -> Path:
        (content,) = [
            content for path, content in files_of(context, pin).items() if _LINKER.search(path) is not None
        ]
        made = directory / "ld.so"
        made.write_bytes(content)
        made.chmod(0o755)
        return made

    return kept("linkers", os.fsdecode(pin.sha256[:32]), make, most=8)
