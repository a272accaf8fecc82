"""AppImages made here: a runtime that cannot mount anything, and a SquashFS image behind it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from denizen.formats.iso9660 import SECTOR
from tests.support.iso_images import iso_image
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


# A program of so few bytes that it fits before the image, in the sectors that ISO 9660 leaves free.
_TINY = b"""
void _start(void) { __asm__("syscall" : : "a"(231), "D"(99)); }
"""


def make_old_appimage(output: Path, tree: Path) -> Path:
    """An AppImage of type 1: an ISO image with the runtime in its beginning."""
    require("gcc")
    runtime = output.with_suffix(".runtime")
    command = ["gcc", "-static", "-nostdlib", "-Wl,--build-id=none,-z,noseparate-code", "-x", "c", "-"]
    subprocess.run([*command, "-o", str(runtime)], input=_TINY, check=True)
    content = bytearray(iso_image(tree, output, compressed=True))
    program = bytearray(runtime.read_bytes())
    assert len(program) <= 16 * SECTOR
    program[MARK_AT : MARK_AT + 3] = b"AI\1"
    content[: len(program)] = program
    output.write_bytes(content)
    output.chmod(0o755)
    return output


def variables_in(printed: str) -> Mapping[str, str]:
    """NAME=VALUE lines of a program's output."""
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
