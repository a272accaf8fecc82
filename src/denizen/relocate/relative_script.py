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
# An encoding is declared within the first two lines (PEP 263); without one it is UTF-8.
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=]")


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
    if not inside or not _PYTHON.match(posixpath.basename(interpreter)) or _CODING.match(rest):
        return None
    away = posixpath.relpath(interpreter, origin)
    place = b'"$(dirname -- "$(realpath -- "$0")")"/'
    return b"#!/bin/sh\n'''exec' %b'%b'%b \"$0\" \"$@\"\n' '''\n%b" % (place, away, options, rest)
