"""Compile the C loader into the wheel; without a compiler the wheel is pure Python and says so when run."""

import os
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPT = "scripts/denizen"
PROGRAMS = (
    "denizen-loader",
    "denizen-bundle",
    "denizen-enter",
    "denizen-exec",
    "denizen-inside",
    "denizen-ldconfig",
    "denizen-resident",
)
# These start before a program of any word size.
_OF_MACHINE = ("denizen-enter", "denizen-ldconfig")
# Each needs the registers of its machine (loader/arch).
TRACERS = ("denizen-attach",)


class LoaderHook(BuildHookInterface[Any]):
    """Puts what is compiled into the wheel; beside the sources when editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; `version` is "editable" for a development install."""
        self.is_editable = version == "editable"
        if self.target_name == "wheel" and version != "editable":
            build_data["shared_data"][str(self.manual())] = "share/man/man1/denizen.1"
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if self.target_name != "wheel":
            return
        scripts = build_data["shared_scripts"]
        script = SCRIPT if version != "editable" else str(self.script_of_sources())
        scripts[script] = "denizen"
        if os.uname().sysname != "Linux":
            return
        if shutil.which(compiler[0]) is None:
            self.app.display_warning(f"no C compiler ({compiler[0]}): this denizen will have no loader")
            return
        beside = Path(self.root) / "src" / "denizen" / "launch" / "loader"
        place = beside if version == "editable" else Path(self.scratch.name)
        machine = os.uname().machine
        programs = (*PROGRAMS, *(TRACERS if machine == "x86_64" else ()))
        made = [place / f"{stem}-{machine}" for stem in programs]
        whole = all([self.compile(output, compiler) for output in made])  # noqa: C419  # all, whatever fails
        # The command itself, before Python (loader/front); without it the script is the command.
        front = Path(self.scratch.name) / "denizen-front"
        if self.compile(front, compiler):
            scripts |= {script: "denizen-python", str(front): "denizen"}
        # For 32-bit programs, where the compiler makes such; without it they start by other ways.
        small = [place / f"{stem}-i386" for stem in PROGRAMS if stem not in _OF_MACHINE]
        if machine == "x86_64":
            made += [one for one in small if self.compile(one, [*compiler, "-m32"], needed=False)]
        if whole and version != "editable":
            build_data["force_include"] |= {
                str(output): f"denizen/launch/loader/{output.name}" for output in made
            }
            build_data["pure_python"] = False
            # They need no C library, so any Linux of this machine will do.
            build_data["tag"] = f"py3-none-linux_{machine}"

    def manual(self) -> Path:
        """`man denizen`, written by the sources being built; these need nothing but Python's own modules."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from denizen.cli.commands.manual import whole_page

        output = Path(self.scratch.name) / "denizen.1"
        output.write_text(whole_page() + "\n", encoding="utf-8")
        return output

    def script_of_sources(self) -> Path:
        """The command of an editable installation, which finds the package without .pth files."""
        root = Path(self.root)
        empty = 'SOURCES = ""\n'
        text = (root / SCRIPT).read_text(encoding="utf-8")
        assert text.count(empty) == 1
        output = Path(self.scratch.name) / "denizen-script"
        output.write_text(text.replace(empty, f"SOURCES = {str(root / 'src')!r}\n"), encoding="utf-8")
        # Executable, and pip keeps that: the kernel starts it where loader/front leaves that to the kernel.
        shutil.copymode(root / SCRIPT, output)
        return output

    @cached_property
    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """For what goes into the wheel, until that is written."""
        return tempfile.TemporaryDirectory(prefix="denizen-build-")

    def finalize(self, *_: object) -> None:
        """Called once the wheel is there."""
        self.scratch.cleanup()

    def compile(self, output: Path, compiler: list[str], *, needed: bool = True) -> bool:
        """Whether it compiled; a compiler that cannot is like none, but for those who change the sources."""
        rule = runpy.run_path(str(Path(self.root) / "loader" / "build.py"))
        try:
            rule["build"](output, compiler, quiet=not needed)
        except subprocess.CalledProcessError:
            if needed and self.is_editable:
                raise  # the binary of an earlier source beside the sources would be taken for this one's
            if needed:
                self.app.display_warning("the loader does not compile here: this denizen will have none")
            return False
        return True
