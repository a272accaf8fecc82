"""Patching and relocating of files that are not what they say: changed, applied, and verified."""

import atexit
import marshal
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from denizen.app.relocate.rewrite_file import write_patched
from denizen.elf import read
from denizen.relocate.errors import WrongPatch
from denizen.relocate.file_edits import FilePlan, apply
from denizen.relocate.patch_changes import Changes
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.prefix import Prefix
from denizen.relocate.relocate_file import relocate_file
from denizen.relocate.verify_patch import verify_patch
from fuzz import elf
from tests.support.elf_builder import Elf, build, replace
from tests.support.elf_sections import with_sections
from tests.support.zip_archives import adjusted_zip

_UNTOUCHED = b"a file that is none of the patch's business"
# Zeros that a file may get are bounded by a constant of the planner, not by the file's size.
_PADDING = 1 << 20
_LONG = b"/a/path/that/is/longer/than/most" * 2
CHANGES = (
    Changes(interpreter=b"/x"),
    Changes(interpreter=_LONG),
    Changes(run_path=_LONG, no_default_lib=True),
    Changes(run_path=b"", remove_needed=(b"libc.so.6",)),
    Changes(replace_needed=((b"libc.so.6", b"libc-of-another-name.so"),), soname=b"s"),
    Changes(_LONG, _LONG, force_rpath=True, add_needed=(b"liba.so", b"libb.so"), soname=_LONG),
)
TOKENS = (*elf.TOKENS, b"\x7fdenizen patch\0\1", b"libc.so.6\0", b"PK\5\6", b"PK\6\7", b"PK\1\2")


def patch(data: bytes) -> None:
    """Patch in one of several ways, chosen by the content.

    What was planned must be what is written, no byte of another file or of this one beside the plan.
    """
    changes = CHANGES[zlib.crc32(data) % len(CHANGES)]
    image = read(data)
    plan = plan_patch(image, changes)
    ends = [edit.offset + len(edit.content) for edit in plan.edits]
    assert all(edit.offset >= 0 for edit in plan.edits)
    assert max(ends, default=0) <= plan.insert_at <= len(data)
    if plan.padding > _PADDING:
        return
    new = apply(plan, data)
    grown = plan.padding + len(plan.inserted) - plan.cut + len(plan.tail)
    assert len(new) == len(data) + grown
    assert _written(data, plan) == new
    try:
        verify_patch(image, new, plan, changes)
    except WrongPatch as wrong:
        if "outside the plan" in wrong.reason or "behind the program" in wrong.reason:
            raise AssertionError(wrong.reason) from wrong
        raise


def _written(data: bytes, plan: FilePlan) -> bytes:
    """The content of the one file that is written, in a directory where nothing else may change."""
    directory = _directory()
    before, target = directory / "before", directory / "after"
    before.write_bytes(_UNTOUCHED)
    try:
        with target.open("xb", buffering=0) as stream:
            write_patched(stream.fileno(), data, plan, synced=False)
        assert {one.name for one in directory.iterdir()} == {"before", "after"}
        assert before.read_bytes() == _UNTOUCHED
        return target.read_bytes()
    finally:
        target.unlink(missing_ok=True)


@cache
def _directory() -> Path:
    """A directory of this process, removed at exit."""
    directory = tempfile.mkdtemp(prefix="denizen-fuzz-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def programs() -> Sequence[bytes]:
    """Files of every form, and files that were patched before."""
    plain = [data for data in elf.seeds() if data.startswith(b"\x7fELF")]
    sections = [with_sections(build(replace(_PROGRAM, bits=bits, little=bits == 64))) for bits in (32, 64)]
    patched = [_patched(build(replace(_PROGRAM, bits=bits))) for bits in (32, 64)]
    # An archive whose offsets are the file's, a megabyte of padding, and an interpreter without a path.
    packed = build(_PROGRAM)
    packed += adjusted_zip(len(packed))
    padded = build(replace(_PROGRAM, appended=bytes(70_000)))
    nameless = build(replace(_PROGRAM, interpreter=b""))
    return [*plain, *sections, *patched, packed, _patched(packed), padded, nameless]


def relocate(data: bytes) -> None:
    """Relocate any file to a longer or a shorter prefix; what is filled up keeps its length."""
    new = (b"/s", b"/home/somebody/store")[zlib.crc32(data) % 2]
    origin = _OLD + b"/package/bin" if zlib.crc32(data) % 3 == 0 else b""
    done = relocate_file(data, Prefix(_OLD, new), origin=origin)
    if done.content is not None and done.ways == ("filled",):
        assert len(done.content) == len(data)


def relocatable() -> Sequence[bytes]:
    """Files of every way."""
    compiled = compile(
        "HOME = '/nix/store/a'\ndef f(x=b'/nix/store/b'): return {x: ('/nix/store', 1.5)}",
        "/nix/store/c.py",
        "exec",
    )
    pyc = MAGIC_NUMBER + bytes(12) + marshal.dumps(compiled)
    program = Elf(
        interpreter=_OLD + b"/ld.so", needed=(b"libc.so.6", _OLD + b"/libx.so"), runpath=_OLD + b"/lib"
    )
    grown = relocate_file(build(program), Prefix(_OLD, b"/home/somebody/store")).content
    assert grown is not None
    moved = grown.replace(b"/home/somebody/store/", b"/nix/store///////////")
    text = b"#!/nix/store/bin/sh\nexec /nix/store/x\n"
    return [
        pyc,
        build(program),
        with_sections(build(program)),
        grown,
        moved,
        text,
        b"\0/nix/store////x\0" * 3,
    ]


def large_relocatable() -> Sequence[bytes]:
    """Mentions everywhere, 3 us for each, and marshalled sequences that claim to be long."""
    head = MAGIC_NUMBER + bytes(12)
    return [
        _OLD.ljust(99, b"\0") * 10_000,
        _OLD.ljust(99, b"\n") * 10_000,
        b"a/" * 450_000 + _OLD,
        head + b"(\xff\xff\0\0" * 100_000 + _OLD,
    ]


_OLD = b"/nix/store"
RELOCATE_TOKENS = (_OLD, b"/home/somebody/store", b"/", b"\x7fdenizen patch\0\1", b"(", b"c", b"z", b"{")
_PROGRAM = Elf(interpreter=b"/lib/ld.so.1", needed=(b"libc.so.6",), runpath=b"/opt/lib")


def _patched(data: bytes) -> bytes:
    return apply(plan_patch(read(data), CHANGES[-1]), data)
