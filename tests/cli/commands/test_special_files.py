"""Pipes, devices and files without end where a command reads a file: told in a sentence, never waited for."""

import os
import re
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch
from denizen.launch.loader.binaries import loader_path

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


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "words",
    [
        ["install", "--offline", "./endless"],
        ["sbom", "--offline", "./endless"],
        ["export", "--offline", "--tar", "root.tar", "./endless"],
        ["export", "--offline", "--oci", "image", "./endless"],
        ["export", "--offline", "--deb", "package.deb", "./endless"],
        ["export", "--offline", "--squashfs", "image.squashfs", "./endless"],
        ["bundle", "--offline", "./endless", "-o", "bundled"],
        ["bundle", "--offline", "--app", "./endless", "-o", "app"],
        ["install", "--offline", "./tree"],
        ["store", "add", "endless"],
        ["store", "add", "tree"],
    ],
    ids=" ".join,
)
def test_a_file_of_terabytes_that_took_a_moment_to_make_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """A static program and then nothing: to read or copy it all would take hours, and fill the disk."""
    program = Path("endless")
    program.write_bytes(Path(loader_path("x86_64")).read_bytes())
    program.chmod(0o755)
    facts = os.statvfs(tmp_path)
    os.truncate(program, max(1 << 40, 2 * facts.f_bfree * facts.f_frsize))
    (tmp_path / "tree" / "bin").mkdir(parents=True)
    os.link(program, tmp_path / "tree" / "bin" / "endless")
    before = set(os.listdir(tmp_path))
    assert dispatch(["--root", str(tmp_path / "root"), *words]) in (125, 126)
    told = capsys.readouterr().err
    assert re.search(r"all but [\d,]+ are a hole|has [\d,]+ bytes, and [\d,]+ are free", told), told
    assert set(os.listdir(tmp_path)) - before <= {"root"}
