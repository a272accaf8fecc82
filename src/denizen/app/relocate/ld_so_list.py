"""The answer of this host's own dynamic linker to which libraries a file needs (`ld.so --list`).

Only the linker that this kernel's native programs name is executed, never the one a file names. `--list`
maps the file and its libraries and runs none of their code.
"""

from __future__ import annotations

import os
import re
import subprocess

from denizen.errors import BadInput
from denizen.host import machine_name
from denizen.machines import by_kernel
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image

# Seconds; a closure of 300 libraries takes 0.2.
_PATIENCE = 20
_ADDRESS = re.compile(rb" \(0x[0-9a-f]+\)$")
# What ld.so ends with where a library of a library is missing (elf/dl-load.c); it lists nothing then.
_MISSING = re.compile(rb"error while loading shared libraries: (.+): cannot open shared object file")


class LinkerAnswer(Value):
    """The answer: the exit status, the lines without addresses, sorted, and the complaints."""

    status: int
    lines: tuple[bytes, ...]
    complaints: bytes


class LinkerDisagrees(BadInput):
    """The error that ld.so loaded the file before the change and does not load it after."""

    path: bytes
    said: bytes
    WHAT = "the dynamic linker does not load the patched {path}, which was not written"
    WHY = "{said}"
    REMEDY = "please report it: denizen patch must not get here"


def host_linker(image: Image) -> bytes | None:
    """Return the path of this host's dynamic linker if it loads such files; None if there is none."""
    machine = by_kernel(machine_name())
    if machine is None or machine != image.header.architecture or image.dynamic is None:
        return None
    return machine.interpreter if os.access(machine.interpreter, os.X_OK) else None


def compare_loading(linker: bytes, path: bytes, old: bytes, new: bytes) -> tuple[tuple[bytes, ...], bool]:
    """Return the names that the linker found for the `old` file and not for the `new`; and if it loads `new`.

    A new file of which everything is found needs no comparison: a start of the linker takes longer than all
    else that a patch does. `path` is the new file's, for people.

    Raises:
        LinkerDisagrees: it loaded the old file and does not load the new one.
    """
    after = _listed(linker, new)
    if after is not None and not after.status and not any(map(_not_found, after.lines)):
        return (), True
    before = _listed(linker, old)
    _agree(path, before, after)
    return _lost_libraries(before, after), before is not None and after is not None and not after.status


def _listed(linker: bytes, path: bytes) -> LinkerAnswer | None:
    """Return what the linker says about a file; None if it does not answer."""
    variables = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [linker, b"--list", path],
            env=variables,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = tuple(sorted(_ADDRESS.sub(b"", line.strip()) for line in done.stdout.splitlines()))
    return LinkerAnswer(done.returncode, lines, done.stderr.replace(path, b"it"))


def _agree(path: bytes, before: LinkerAnswer | None, after: LinkerAnswer | None) -> None:
    """Return if ld.so loads the patched file as far as it loaded the old one.

    Libraries that are not found by a changed run path are no fault of the file. Raises LinkerDisagrees.
    """
    if before is None or after is None or before.status:
        return
    if after.status and b"cannot open shared object" not in after.complaints:
        raise LinkerDisagrees(path, after.complaints[:300] or b"exit status %d" % after.status)


def _lost_libraries(before: LinkerAnswer | None, after: LinkerAnswer | None) -> tuple[bytes, ...]:
    """Return the names that ld.so found before the change and does not find after it."""
    if before is None or after is None:
        return ()
    missing = [*map(_not_found, after.lines), *_MISSING.findall(after.complaints)]
    had = {line.partition(b" => ")[0] for line in before.lines if not _not_found(line)}
    return tuple(name for name in missing if name and name in had)


def _not_found(line: bytes) -> bytes:
    name, _, found = line.partition(b" => ")
    return name if found == b"not found" else b""
