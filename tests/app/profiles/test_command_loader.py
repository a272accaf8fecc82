import os
from pathlib import Path

import pytest

from denizen.app.profiles import command_loader as module
from denizen.app.profiles.command_loader import command_loader
from denizen.app.profiles.install_request import InstallRequest, Preparation
from denizen.app.start_request import RunRequest
from denizen.formats.storepath import StorePath
from denizen.launch import loader
from denizen.launch.loader import binaries
from denizen.launch.loader.loader_settings import settings_of
from denizen.store.local import Store
from tests.support.command_context import context_of

WANTED = RunRequest(installed=True)


def loader_of(root: Path, environ: dict[str, str] | None = None) -> tuple[StorePath, bytes]:
    """The object and its content, asked for by one operation of its own."""
    session = context_of(environ or {}, str(root)).session
    with Store.create(session.paths.store) as store, store.working() as work:
        found = command_loader(Preparation(session, store, work, InstallRequest()), WANTED)
        return found, Path(os.fsdecode(store.place_of(found))).read_bytes()


def records_of(root: Path) -> list[Path]:
    return sorted((root / "state/tools").glob("command-loader-*"))


def test_the_loader_is_found_by_its_record_without_reading_the_binaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = loader_of(tmp_path)
    monkeypatch.setattr(module, "_made", lambda *_: pytest.fail("it is made again"))
    assert loader_of(tmp_path)[0] == made


def test_another_binary_makes_another_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, content = loader_of(tmp_path)
    installation = tmp_path / "installation"
    installation.mkdir()
    newer = installation / "denizen-loader-newer"
    newer.write_bytes(content + b"newer")
    monkeypatch.setattr(loader, "__file__", os.fspath(installation / "__init__.py"))
    monkeypatch.setattr(binaries, "loader_path", lambda _: str(newer))
    again, now = loader_of(tmp_path)
    assert again != made
    assert now.endswith(b"newer")


def test_a_loader_that_is_told_otherwise_is_another(tmp_path: Path) -> None:
    made, _ = loader_of(tmp_path)
    again, content = loader_of(tmp_path, {"https_proxy": "http://proxy.example:3128"})
    assert again != made
    assert b"https_proxy=http://proxy.example:3128" in settings_of(content).command
    assert loader_of(tmp_path)[0] == made
    assert len(records_of(tmp_path)) == 2


def test_a_library_that_was_removed_is_put_back(tmp_path: Path) -> None:
    made, content = loader_of(tmp_path)
    inside = Path(os.fsdecode(settings_of(content).inside))
    inside.unlink()
    assert loader_of(tmp_path)[0] == made
    assert inside.is_file()


@pytest.mark.parametrize("damaged", [b"", b"../../elsewhere", b"\0\0", b"0" * 32 + b"-denizen-command"])
def test_a_damaged_record_is_written_again(damaged: bytes, tmp_path: Path) -> None:
    made, _ = loader_of(tmp_path)
    (record,) = records_of(tmp_path)
    whole = record.read_bytes()
    record.write_bytes(damaged)
    assert loader_of(tmp_path)[0] == made
    assert record.read_bytes() == whole
