"""Pipes, devices and files without end where a command reads a file: told in a sentence, never waited for."""

import os
import re
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch

PROJECT = '[fhs]\npackages = ["none"]\n[profile]\npackages = ["none"]\n'
RECIPE = 'name = "planted"\nversion = "1"\n'


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    ("words", "pipe", "files"),
    [
        (["build", "--offline"], "recipe.toml", {}),
        (["build", "--offline"], "denizen.lock", {"recipe.toml": RECIPE}),
        (["develop", "--recipe", ".", "true"], "recipe.toml", {}),
        (["shell", "--offline", "--file", "pipe", "true"], "pipe", {}),
        (["shell", "--offline", "true"], "denizen.lock", {"denizen.toml": PROJECT}),
        (["sync", "--offline", "--file", "pipe"], "pipe", {}),
        (["sync", "--offline"], "denizen.lock", {"denizen.toml": PROJECT}),
        (["run", "--offline", "--lock", "pipe", "/bin/true"], "pipe", {}),
        (["install", "--offline", "./pipe"], "pipe", {}),
        (["sbom", "--offline", "./pipe"], "pipe", {}),
        (["bundle", "--offline", "./pipe"], "pipe", {}),
        (["lock", "--offline", "./pipe"], "pipe", {}),
        (["system", "dry-run", "pipe", "--target", "."], "pipe", {}),
        (["store", "import", "cache", f"/nix/store/{'1' * 32}-x"], "cache/nix-cache-info", {}),
    ],
)
def test_a_pipe_is_no_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    pipe: str,
    files: dict[str, str],
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / pipe).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / pipe, 0o600)
    assert dispatch(["--root", str(tmp_path / "root"), *words]) in (125, 127)
    told = capsys.readouterr().err
    assert pipe in told
    assert re.search("not a file|no lock file", told)
    assert (tmp_path / pipe).is_fifo()


def test_a_page_is_not_written_into_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = ["why", "--host", "--html", str(pipe), "/bin/true"]
    assert dispatch(["--root", str(tmp_path / "root"), *words]) == 125
    assert f"{pipe} is not replaced by a file" in capsys.readouterr().err


def test_a_lock_file_without_end_is_not_read_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock"
    with lock.open("wb") as stream:
        stream.truncate(1 << 40)
    words = ["run", "--offline", "--hermetic", "--lock", str(lock), "/bin/true"]
    assert dispatch(["--root", str(tmp_path / "root"), *words]) == 125
    assert "at most are believed" in capsys.readouterr().err
