"""Small programs and libraries for one rule of the dynamic linker, built with gcc in a directory.

A `Case` says what to build in which order, what to do to the files afterwards, and how to start. `$ROOT`
in flags and variables is the directory. Objects are built with -nostdlib: nothing but what a rule is
about is in the list.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Step = Callable[[Path], None]


@dataclass(frozen=True)
class Build:
    """One object; `needs` are files linked in, by their names from the root."""

    out: str
    needs: tuple[str, ...] = ()
    soname: str | None = ""
    flags: tuple[str, ...] = ()
    source: str = ""
    program: bool = False
    libc: bool = False


@dataclass(frozen=True)
class Case:
    """One rule: `expect` maps sonames to the name of the rule that finds them, None where nothing does.

    `failure` is what ld.so says where it gives up; `start` how the program is started: by "ld.so" by
    hand, or by "execve".
    """

    name: str
    builds: tuple[Build, ...]
    expect: Mapping[str, str | None]
    then: tuple[Step, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    directory: str = "."
    program: str = "prog"
    options: tuple[str, ...] = ()
    failure: str | None = None
    start: str = "ld.so"


def lib(
    out: str, *needs: str, soname: str | None = "", flags: tuple[str, ...] = (), source: str = ""
) -> Build:
    """A library; its soname is its file name, or none with None."""
    return Build(out, needs, soname, flags, source)


def prog(*needs: str, flags: tuple[str, ...] = (), out: str = "prog", source: str = "") -> Build:
    """The program."""
    return Build(out, needs, None, flags, source, program=True)


def rpath(path: str) -> tuple[str, ...]:
    """DT_RPATH."""
    return (f"-Wl,--disable-new-dtags,-rpath,{path}",)


def runpath(path: str) -> tuple[str, ...]:
    """DT_RUNPATH."""
    return (f"-Wl,--enable-new-dtags,-rpath,{path}",)


def move(old: str, new: str) -> Step:
    def step(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)

    return step


def copy(old: str, new: str) -> Step:
    def step(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / old, root / new)

    return step


def remove(path: str) -> Step:
    return lambda root: (root / path).unlink()


def link(target: str, path: str) -> Step:
    def step(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target.replace("$ROOT", str(root)))

    return step


def hard_link(old: str, new: str) -> Step:
    def step(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        os.link(root / old, root / new)

    return step


def write(path: str, content: bytes) -> Step:
    def step(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)

    return step


def folder(path: str) -> Step:
    return lambda root: (root / path).mkdir(parents=True)


def patch_header(path: str, offset: int, content: bytes) -> Step:
    """Change bytes of the ELF header: no compiler makes such files."""

    def step(root: Path) -> None:
        data = bytearray((root / path).read_bytes())
        data[offset : offset + len(content)] = content
        (root / path).write_bytes(data)

    return step


def retag(path: str, old: int, new: int) -> Step:
    """Change a tag of a 64-bit dynamic section, for combinations no linker writes."""

    def step(root: Path) -> None:
        data = (root / path).read_bytes()
        offset = next(
            offset
            for offset in range(0, len(data) - 15, 8)
            if struct.unpack_from("<Q", data, offset)[0] == old and _in_dynamic(data, offset)
        )
        (root / path).write_bytes(data[:offset] + struct.pack("<Q", new) + data[offset + 8 :])

    return step


def _in_dynamic(data: bytes, offset: int) -> bool:
    (start, count) = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for number in range(count):
        kind, _, at, _, _, size = struct.unpack_from("<IIQQQQ", data, start + 56 * number)
        if kind == 2:
            return bool(at <= offset < at + size)
    return False


def build(case: Case, root: Path, *flags: str, compiler: str = "gcc") -> None:
    """Make everything, then take the steps."""
    for item in case.builds:
        _compile(item, root, flags, compiler)
    for step in case.then:
        step(root)


def _compile(item: Build, root: Path, flags: tuple[str, ...], compiler: str) -> None:
    out = root / item.out
    out.parent.mkdir(parents=True, exist_ok=True)
    name = out.name.partition(".")[0].replace("-", "_")
    source = item.source or ("int main(void) { return 0; }" if item.program else f"int {name}_here = 1;")
    kind = ["-pie", "-fPIE", "-Wl,-e,main"] if item.program else ["-shared", "-fPIC"]
    soname = [] if item.soname is None else [f"-Wl,-soname,{item.soname or out.name}"]
    bare = [] if item.libc else ["-nostdlib"]
    own = [flag.replace("$ROOT", str(root)) for flag in (*item.needs, *item.flags)]
    subprocess.run(
        [compiler, *flags, *kind, *bare, "-x", "c", "-", "-x", "none", "-o", item.out, "-Wl,--no-as-needed",
         "-Wl,--allow-shlib-undefined", "-Wl,--unresolved-symbols=ignore-all", *soname, *own],
        cwd=root, input=source, text=True, check=True,
    )  # fmt: skip
