"""Packages with the modules that a distribution's interpreter of a language is no use without.

`PROGRAMS` knows such interpreters by their file's name below /usr/bin, and the version by what their file
mentions. Other builds bring their modules in a tree of their own (`--tree`).
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.program import Program

_HOME = b"/usr/bin"
# Name of the program, what has the version in its bytes, packages. Debian's names.
PROGRAMS = (
    (re.compile(rb"python(3\.\d+)"), None, ("libpython{}-minimal", "libpython{}-stdlib")),
    (re.compile(rb"perl"), re.compile(rb"/usr/share/perl/(5\.\d+)"), ("libperl{}", "perl-modules-{}")),
    (re.compile(rb"perl(5\.\d+)\.\d+"), None, ("libperl{}", "perl-modules-{}")),
)


def module_packages(program: Program) -> tuple[bytes, ...]:
    """Return the names of packages with an interpreter's modules; () for any other program."""
    home, name = os.path.split(program.path)
    for called, mentions, packages in PROGRAMS:
        found = called.fullmatch(name) if home == _HOME else None
        if found is not None and mentions is not None:
            found = mentions.search(program.view.read(program.path))
        if found is not None:
            version = found[1].decode("ascii")
            return tuple([package.format(version).encode() for package in packages])
    return ()
