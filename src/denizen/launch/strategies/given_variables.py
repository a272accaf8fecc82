"""Environment variables that name files of packages to what no namespace and no library inside shows them.

They are given by `denizen-enter` where the caller has not set them, and only where the host lacks the files.
"""

from __future__ import annotations

from denizen.elf.classify import is_go
from denizen.launch.resources.file_variables import file_variables
from denizen.launch.resources.static_program_paths import variables_read
from denizen.launch.strategies.interpreters import is_musl
from denizen.launch.strategies.shown_resources import shown_files
from denizen.resolve.rule_packs import load_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart

# time/tzfile.c: glibc reads zones by calls inside itself, which the library inside a program does not see.
_OF_GLIBC = (b"TZDIR", b"/usr/share/zoneinfo")
_DEFAULT = b"default"


def words_for_static(start: ProgramStart, base: Decision) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter` for a static program. Raises OSError, LoaderAbsent."""
    image, rules = start.program.image, start.findings.looks_for
    if image is None or not rules or not base.objects:
        return ()
    return _words(start, base, variables_read(image, rules))


def words_beside_inside(start: ProgramStart, base: Decision) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter` for a program with the library inside.

    That does not see the calls of glibc inside itself, nor those that a Go program makes without a C
    library. Raises OSError, LoaderAbsent.
    """
    image = start.program.image
    if image is None:
        return ()
    of_libc = () if is_musl(start.program.interpreter) else (_OF_GLIBC,)
    own = variables_read(image, load_rules().resources) if is_go(image) else ()
    return _words(start, base, dict.fromkeys((*of_libc, *own)))


def variables_in(decision: Decision) -> tuple[bytes, ...]:
    """Return the variables, as NAME=VALUE, that a decision gives to a program where they are not set."""
    words = decision.command
    return tuple(words[at + 1] for at, word in enumerate(words[:-1]) if word == _DEFAULT)


def _words(start: ProgramStart, base: Decision, wanted: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    shown = shown_files(start.program, start.files, base)
    found = file_variables(wanted, shown, start.files.text)
    return tuple(word for one in found for word in (_DEFAULT, one))
