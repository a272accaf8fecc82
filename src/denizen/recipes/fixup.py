"""The fixup phase: what was installed is made fit for the store. It runs in the builder's sandbox.

In this order, over all outputs:

1. libtool's `.la` files go: they name directories of the build.
2. Manual pages are compressed, without a date.
3. Programs and libraries are stripped; what debuggers read goes to the output `debug`, by build-id.
4. Scripts whose interpreter is of another recipe, or of this one, name it in full. Those of Debian's packages
   stay as they are: a patched line would lead to a program that needs the host's dynamic linker.
5. ELF files get the interpreter and run path of the packages that they were linked with, in the store: of
   each library needed, directly or by others, the directory, and none that is not used. Libraries opened by
   name count if they are noted (.note.dlopen), named in the recipe, a constant of the file's, or were opened
   in the check phase or when programs that the recipe built before ran.

`denizen.recipes.fixup_plan` decides, this module writes.
"""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys

from denizen.elf import read
from denizen.errors import BadInput, DenizenError, display
from denizen.recipes.fixup_plan import (
    ObjectFile,
    ReportedOpens,
    changes_for,
    interpreter_of,
    opened_earlier,
    opened_names,
    run_path,
    script_line,
    with_opens,
)
from denizen.recipes.package_trees import package_trees
from denizen.relocate.file_edits import apply
from denizen.relocate.patch_changes import Changes
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.verify_patch import verify_patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf import Image

_ELF = b"\x7fELF"
_LIBRARY_DIRS = (b"lib", b"usr/lib", b"lib64", b"usr/lib64")
_EXECUTABLE = 0o111


def main() -> int:
    """Fix the outputs up; return 0."""
    out = os.environb[b"out"]
    debug = os.environb.get(b"debug", b"")
    if debug:
        os.makedirs(debug, exist_ok=True)
    if not os.path.lexists(out):
        os.makedirs(out)
    _open_directories(out)
    files = [path for path in _files(out) if not _removed(path)]
    for path in files:
        _compress_page(out, path)
    objects = [path for path in _files(out) if _begins(path, _ELF)]
    if not os.environb.get(b"dontStrip"):
        for path in _files(out):
            _strip(path, debug)
    directories = _search_path(out)
    opens = _reported_opens()
    for path in objects:
        _patch(path, directories, opens)
    for path in _files(out):
        _patch_script(path, out)
    sys.stdout.write(f"fixup: {len(objects)} objects\n")
    return 0


def link_output(name: str) -> None:
    """Let what a linker has written find its libraries in the store; its own run path stays ahead."""
    path = os.fsencode(name)
    if not os.path.isfile(path) or not _begins(path, _ELF):
        return
    buffer = _content(path)
    try:
        image = read(buffer)
        one = ObjectFile.of(path, image)
    except BadInput:
        return
    # A relocatable object (ld -r) and a static program search for nothing.
    if one is None or (one.interpreter is None and not one.needed):
        return
    directories = _search_path(os.environb[b"out"])
    found = run_path(one, lambda wanted: _library(wanted, directories), complete=False)
    interpreter = interpreter_of(one, lambda wanted: _library(wanted, directories))
    assert image.dynamic is not None
    own = (image.dynamic.runpath or image.dynamic.rpath or b"").split(b":")
    joined = dict.fromkeys([one for one in (*own, *found) if one])
    _write(path, buffer, image, Changes(interpreter, b":".join(joined), force_rpath=True))


def _open_directories(path: bytes) -> None:
    """Let us alone write in a directory and all below it; the store has modes of its own."""
    if os.path.isdir(path) and not os.path.islink(path):
        # An output that others may write to is refused, as by Nix; MakeMaker of Perl leaves such.
        os.chmod(path, (stat.S_IMODE(os.stat(path).st_mode) | stat.S_IRWXU) & ~(stat.S_IWGRP | stat.S_IWOTH))
    for parent, directories, _ in os.walk(path):
        for inner in (parent + b"/" + name for name in directories):
            if not os.path.islink(inner):
                # Before the walk comes to it.
                os.chmod(inner, stat.S_IMODE(os.stat(inner).st_mode) | stat.S_IRWXU)


def _files(top: bytes) -> list[bytes]:
    """Return the regular files below a directory, sorted."""
    found = []
    for parent, directories, names in os.walk(top):
        directories.sort()
        found += [
            path for name in sorted(names) if stat.S_ISREG(os.lstat(path := parent + b"/" + name).st_mode)
        ]
    return found


def _begins(path: bytes, magic: bytes) -> bool:
    with open(path, "rb") as stream:
        return stream.read(len(magic)) == magic


def _removed(path: bytes) -> bool:
    if not (path.endswith(b".la") and _begins(path, b"# ")):
        return False
    os.unlink(path)
    return True


def _compress_page(out: bytes, path: bytes) -> None:
    inside = path.removeprefix(out + b"/share/man/")
    if inside == path or path.endswith((b".gz", b".bz2", b".xz")):
        return
    with (
        open(path, "rb") as page,
        open(path + b".gz", "wb") as packed,
        gzip.GzipFile(b"", "wb", 9, packed, mtime=0) as stream,
    ):
        stream.write(page.read())
    os.unlink(path)
    for parent, _, names in os.walk(out + b"/share/man"):
        for name in names:
            _follow(parent + b"/" + name, path)


def _follow(link: bytes, page: bytes) -> None:
    """Let a link that led to a page lead to the compressed one."""
    if not os.path.islink(link):
        return
    target = os.readlink(link)
    if os.path.normpath(os.path.join(os.path.dirname(link), target)) == page:
        os.unlink(link)
        os.symlink(target + b".gz", link + b".gz")


def _strip(path: bytes, debug: bytes) -> None:
    if path.endswith((b".a", b".o")) and (_begins(path, b"!<arch>\n") or _begins(path, _ELF)):
        _run(path, "strip", "--strip-debug", "--enable-deterministic-archives")
    elif _begins(path, _ELF):
        identity = _build_id(path)
        if debug and identity:
            _keep_debug(path, debug, identity)
        _run(path, "strip", "--strip-unneeded")


def _build_id(path: bytes) -> str:
    with open(path, "rb") as stream:
        try:
            found = read(stream.read()).notes.build_id
        except BadInput:
            return ""
    return found.hex() if found else ""


def _keep_debug(path: bytes, debug: bytes, identity: str) -> None:
    """Write what debuggers read to where they look for it by the build-id."""
    directory = os.path.join(debug, b"lib/debug/.build-id", identity[:2].encode())
    os.makedirs(directory, exist_ok=True)
    target = os.path.join(directory, identity[2:].encode() + b".debug")
    subprocess.run(["objcopy", "--only-keep-debug", "--compress-debug-sections", path, target], check=True)
    os.chmod(target, 0o444)


def _run(path: bytes, *command: str) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | stat.S_IWUSR)
    subprocess.run([*command, path], check=True)
    os.chmod(path, mode)


def _search_path(out: bytes) -> list[bytes]:
    """Return the directories of libraries: of this output, of other recipes', of packages in the store."""
    recipes = os.environb.get(b"recipeInputs", b"").split()
    own = {os.path.dirname(path) for path in _files(out) if b".so" in os.path.basename(path)}
    found = [*sorted(own), *(one + b"/lib" for one in recipes)]
    for tree in package_trees():
        found += _library_dirs(tree)
    return [directory for directory in found if os.path.isdir(directory)]


def _library_dirs(package: bytes) -> Iterator[bytes]:
    for name in _LIBRARY_DIRS:
        directory = package + b"/" + name
        if os.path.isdir(directory) and not os.path.islink(directory):
            yield directory
            for inner in sorted(os.listdir(directory)):
                if inner.endswith((b"-linux-gnu", b"-linux-gnueabihf")):
                    yield directory + b"/" + inner


def _object(path: bytes) -> ObjectFile | None:
    """Return the facts of an ELF file; None if it is no program or library that is linked at run time."""
    try:
        return ObjectFile.of(path, read(_content(path)))
    except BadInput:
        return None


def _content(path: bytes) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _library(name: bytes, directories: list[bytes]) -> ObjectFile | None:
    """Return the library of a name that is found first. A linker script of that name is passed over."""
    for directory in directories:
        path = directory + b"/" + name
        if os.path.isfile(path) and _begins(path, _ELF):
            return _object(path)
    return None


def _report() -> bytes:
    """Return the path of the check phase's notes of what was opened by name (builder.bash)."""
    return os.environb.get(b"NIX_BUILD_TOP", b"") + b"/opened"


def _reported_opens() -> ReportedOpens:
    return ReportedOpens(
        tuple(os.environb.get(b"opened", b"").split()),
        opened_names(_content(report) if os.path.exists(report := _report()) else b""),
        opened_earlier(os.environb.get(b"openedBy", b"")),
    )


def _patch(path: bytes, directories: list[bytes], opens: ReportedOpens) -> None:
    """Give an ELF file the interpreter and run path that it needs."""
    buffer = _content(path)
    try:
        image = read(buffer)
    except BadInput as problem:
        sys.stderr.write(f"fixup: {display(path)} stays as it is: {problem}\n")
        return
    one = ObjectFile.of(path, image)
    if one is None or (one.interpreter is None and not one.needed):
        return
    changes = changes_for(with_opens(one, image, opens), lambda name: _library(name, directories))
    _write(path, buffer, image, changes)


def _write(path: bytes, buffer: bytes, image: Image, changes: Changes) -> None:
    plan = plan_patch(image, changes)
    if plan.is_empty:
        return
    content = apply(plan, buffer)
    verify_patch(image, content, plan, changes)
    _replace(path, content)


def _replace(path: bytes, content: bytes) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | stat.S_IWUSR)
    with open(path, "wb") as stream:
        stream.write(content)
    os.chmod(path, mode)


def _patch_script(path: bytes, out: bytes) -> None:
    if not os.stat(path).st_mode & _EXECUTABLE or not _begins(path, b"#!"):
        return
    content = _content(path)
    first, newline, rest = content.partition(b"\n")
    tops = [out, *os.environb.get(b"recipeInputs", b"").split()]
    line = script_line(first, [top + b"/bin" for top in tops], os.path.exists)
    if line != first:
        _replace(path, line + newline + rest)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DenizenError as problem:
        sys.exit(f"fixup: {problem}\n{problem.remedy}")
    except (OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"fixup: {failure}")
