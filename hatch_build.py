"""Compile the C loader into the wheel; without a compiler the wheel is pure Python and says so when run."""

import os
import runpy
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LoaderHook(BuildHookInterface[Any]):
    """Puts `denizen/launch/denizen-loader-MACHINE` into the wheel; beside the sources when editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; `version` is "editable" for a development install."""
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if self.target_name != "wheel" or os.uname().sysname != "Linux":
            return
        if shutil.which(compiler[0]) is None:
            self.app.display_warning(f"no C compiler ({compiler[0]}): this denizen will have no loader")
            return
        name = f"denizen-loader-{os.uname().machine}"
        if version == "editable":
            self.compile(Path(self.root) / "src" / "denizen" / "launch" / name, compiler)
            return
        output = Path(tempfile.mkdtemp(prefix="denizen-loader-")) / name
        if self.compile(output, compiler):
            build_data["force_include"][str(output)] = f"denizen/launch/{name}"
            build_data["pure_python"] = False
            # The loader needs no C library, so any Linux of this machine will do.
            build_data["tag"] = f"py3-none-linux_{os.uname().machine}"

    def compile(self, output: Path, compiler: list[str]) -> bool:
        """Whether it compiled; a machine without headers is served like one without a compiler."""
        rule = runpy.run_path(str(Path(self.root) / "loader" / "build.py"))
        try:
            rule["build"](output, compiler)
        except subprocess.CalledProcessError:
            self.app.display_warning("the loader does not compile here: this denizen will have none")
            return False
        return True
