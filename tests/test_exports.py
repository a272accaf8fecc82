"""Packages whose names are imported when asked for: all of them are there, whatever was imported before."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["denizen.elf", "denizen.linker"])
def test_every_exported_name_can_be_imported_first(package: str) -> None:
    names = subprocess.check_output(
        [sys.executable, "-c", f"import {package} as p; print(*p.__all__)"], text=True
    ).split()
    code = f"import {package} as p; [getattr(p, name) for name in p.__all__]; print(len(p.__all__))"
    assert int(subprocess.check_output([sys.executable, "-c", code], text=True)) == len(names) > 10
    with pytest.raises(AttributeError):
        _ = __import__(package, fromlist=["x"]).no_such_name
