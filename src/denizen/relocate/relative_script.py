"""Python scripts that find their interpreter from where they are themselves (pure).

A `#!` line holds an absolute path. A script for Python can be one for the shell as well: what is a string for
the one is a command for the other, which starts the interpreter (as uv's relocatable environments do):

    #!/bin/sh
    '''exec' "$(dirname -- "$(realpath -- "$0")")"/'../python/bin/python3' "$0" "$@"
    ' '''

For other languages there is no such form that works in all scripts.
"""

from __future__ import annotations

import posixpath
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.relocate.prefix import Prefix

_LINE = re.compile(rb"#![ \t]*(/[^ \t\n'\"\\]+)((?:[ \t]+-[A-Za-z]+)*)[ \t]*\n")
_PYTHON = re.compile(rb"(?:python|pypy)[0-9.]*$")
# An encoding is declared within the first two lines (PEP 263), which the two more lines push it out of. pip
# declares UTF-8 in all its scripts; without a declaration Python 3 takes UTF-8, and Python 2 takes ASCII.
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_DEFAULTS = frozenset({b"utf-8", b"utf8", b"ascii", b"us-ascii"})
_PYTHON_3 = re.compile(rb"(?:python|pypy)3")


def relative_script(content: bytes, prefix: Prefix, origin: bytes) -> bytes | None:
    """Return a script that starts the interpreter below the old prefix by its place from the script's own.

    `origin`: the script's directory below the old prefix. None where there is no such form.
    """
    found = _LINE.match(content)
    if found is None:
        return None
    interpreter, options = found.groups()
    inside = prefix.moved(interpreter) != interpreter
    rest = content[found.end() :]
    name = posixpath.basename(interpreter)
    if not inside or not _PYTHON.match(name) or not _is_read_alike(name, rest):
        return None
    away = posixpath.relpath(interpreter, origin)
    place = b'"$(dirname -- "$(realpath -- "$0")")"/'
    return b"#!/bin/sh\n'''exec' %b'%b'%b \"$0\" \"$@\"\n' '''\n%b" % (place, away, options, rest)


def _is_read_alike(python: bytes, rest: bytes) -> bool:
    """Tell whether a script behind its first line is read in the same encoding without a declaration."""
    declared = _CODING.match(rest)
    if declared is None:
        return True
    is_default = declared[1].lower().replace(b"_", b"-") in _DEFAULTS
    return is_default and (rest.isascii() or _PYTHON_3.match(python) is not None)
