"""AppImages made here: a runtime that cannot mount anything, and a SquashFS image behind it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.peers import require
from tests.support.squashfs import Tree, image

# e_ident[8:11] of an AppImage: "AI" and its type.
MARK_AT = 8


def make_appimage(output: Path, tree: Tree, *, kind: int = 2) -> Path:
    """An AppImage whose own runtime ends with status 99, as one without FUSE would end."""
    require("gcc")
    runtime = output.with_suffix(".runtime")
    command = ["gcc", "-static", "-x", "c", "-", "-o", str(runtime)]
    subprocess.run(command, input=b"int main(void) { return 99; }\n", check=True)
    content = bytearray(runtime.read_bytes())
    content[MARK_AT : MARK_AT + 3] = b"AI" + bytes([kind])
    output.write_bytes(bytes(content) + image(tree))
    output.chmod(0o755)
    return output


def variables_in(printed: str) -> Mapping[str, str]:
    """NAME=VALUE lines of a program's output."""
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
