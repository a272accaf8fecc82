"""Where the compiled programs lie, and who can go there."""

import os
from pathlib import Path

import pytest

from denizen.launch.loader import configured_tools
from denizen.launch.loader.configured_tools import Tools


@pytest.mark.skipif(os.geteuid() != 0, reason="a public directory is root's")
@pytest.mark.parametrize("euid", [0, 1000])
@pytest.mark.parametrize("mode", [0o711, 0o700])
def test_the_hosts_linker_appears_where_root_lets_others_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, euid: int, mode: int
) -> None:
    public, private = tmp_path / "public", tmp_path / "private"
    private.mkdir()
    private.chmod(mode)
    monkeypatch.setattr(configured_tools, "_PUBLIC", bytes(public))
    monkeypatch.setattr(configured_tools, "lets_through", lambda _: bool(os.stat(private).st_mode & 1))
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    hidden = Path(os.fsdecode(Tools(bytes(private / "tools"), "x86_64").hidden(b"/lib/ld.so")))
    assert hidden.parent == (public if euid == 0 and mode == 0o700 else private / "tools")
    assert hidden.read_bytes() == b""
    assert (private / "tools").lstat().st_mode & 0o777 == 0o711
