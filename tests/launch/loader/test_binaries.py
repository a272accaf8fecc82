"""The compiled loader in this installation, or a clear word that there is none."""

from pathlib import Path

import pytest

from denizen.launch.loader import binaries
from denizen.launch.loader.binaries import LoaderAbsent, loader_binary
from tests.support.compiled_loaders import compile_loader
from tests.support.peers import require


def test_a_machine_without_a_loader_is_named_with_the_remedy() -> None:
    with pytest.raises(LoaderAbsent, match="no loader for vax") as caught:
        loader_binary("vax")
    assert "make loader" in caught.value.remedy


def test_the_loader_beside_the_module_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("cc")
    compiled = compile_loader(tmp_path / "denizen-loader-x86_64")
    monkeypatch.setattr(binaries, "__file__", str(tmp_path / "binaries.py"))
    assert loader_binary("x86_64") == compiled.read_bytes()
