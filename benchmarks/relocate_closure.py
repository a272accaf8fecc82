"""A closure of 100 packages for /nix/store, relocated to a home directory, verified; and by patchelf and sed.

Claim (issue 17): at most 2 s. The packages have programs and libraries of this system that name each other by
paths in /nix/store, set by patchelf as in Nix, and a script, a .pc file, a link and data each. The peer does
what scripts for it do: patchelf for every ELF file, sed for every text, ln for every link; it checks nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.elf_patch import elf_files, peer, processor_time, theirs
from denizen.app.relocate.relocate_tree import TreeRequest, relocate_tree
from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.relocate.patch_changes import Changes
from denizen.relocate.prefix import Prefix

PACKAGES, FILES = 100, 3
_OLD, _NEW, _VIEW = b"/nix/store", b"/home/somebody/.local/share/denizen/store", DiskView()


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:  # not the disk's time
        made, copy = Path(directory, "made"), Path(directory, "copy")
        build(made)
        shutil.copytree(made, copy, symlinks=True)
        size = sum(path.lstat().st_size for path in made.rglob("*") if path.is_file())
        before, used = time.perf_counter(), processor_time()
        done = relocate_tree(TreeRequest(os.fsencode(made), Prefix(_OLD, _NEW)))
        middle, more = time.perf_counter(), processor_time()
        by_hand(copy)
        ours, peers = middle - before, time.perf_counter() - middle
        ours_used, peers_used = more - used, processor_time() - more
    changed = sum(1 for entry in done.entries if entry.places)
    left = sum(len(entry.left) for entry in done.entries)
    print(f"{PACKAGES} packages, {done.count} files, {size / 1e6:.0f} MB")
    print(f"{changed} changed, {left} mentions left")
    print(f"denizen {ours:.2f} s; patchelf, sed and ln {peers:.2f} s ({peers / ours:.1f} times as long)")
    ratio = peers_used / ours_used
    print(f"of the processor {ours_used:.2f} s and {peers_used:.2f} s ({ratio:.1f} times as much)")


def build(top: Path) -> None:
    """Packages with three ELF files each, of 2 MB at most."""
    files = [path for path in elf_files() if os.path.getsize(path) < 2_000_000]
    for number in range(PACKAGES):
        name = f"{number:032}-package"
        home = top / name
        (home / "lib").mkdir(parents=True)
        inside = b"/nix/store/" + name.encode()
        for path in files[number * FILES : (number + 1) * FILES]:
            named = read(_VIEW.read(path)).interpreter is not None
            neighbour = b"%s/%032d-package/lib" % (_OLD, (number + 1) % PACKAGES)
            wanted = Changes(neighbour + b"/ld.so" if named else None, inside + b"/lib:" + neighbour)
            theirs(path, os.fsencode(home / "lib" / os.fsdecode(os.path.basename(path))), wanted)
        (home / "script").write_bytes(b"#!%s/bin/sh\n" % inside)
        (home / "package.pc").write_bytes(b"prefix=%s\n" % inside)
        (home / "link").symlink_to(os.fsdecode(inside))
        (home / "data").write_bytes(os.urandom(200_000))


def by_hand(top: Path) -> None:
    """Change every path as a script does."""
    for path in sorted(top.rglob("*")):
        if path.is_symlink():
            target = os.fsencode(os.readlink(path)).replace(_OLD, _NEW)
            subprocess.run(["ln", "-sfn", target, path], check=True)
        elif path.is_file() and path.parent.name == "lib":
            _patchelf(path)
        elif path.is_file() and path.name != "data":
            subprocess.run(["sed", "-i", b"s," + _OLD + b"," + _NEW + b",g", path], check=True)


def _patchelf(path: Path) -> None:
    image = read(_VIEW.read(os.fsencode(path)))
    assert image.dynamic is not None
    own = image.dynamic.runpath or image.dynamic.rpath or b""
    words: list[str | bytes] = [peer(), "--set-rpath", own.replace(_OLD, _NEW)]
    if image.interpreter is not None:
        words += ["--set-interpreter", image.interpreter.replace(_OLD, _NEW)]
    subprocess.run([*words, os.fsencode(path)], check=True)
