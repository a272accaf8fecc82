"""denizen-enter's `lacking` and `joined`: directories of state, and a file of the host's with lines added."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.launch.loader.binaries import enter_path
from denizen.launch.namespace_probe import obstacle

ENTER = enter_path(os.uname().machine)
pytestmark = pytest.mark.skipif(
    not os.path.exists(ENTER) or bool(obstacle(os.fsencode(ENTER), (b"private",))),
    reason="no namespace can be made",
)


def _run(script: str, *operations: str | Path) -> subprocess.CompletedProcess[str]:
    words = [ENTER, "private", *operations, "--", "/bin/sh", "-c", script]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "var/lib/own").mkdir(parents=True)
    (root / "var/lib/own/kept").write_text("kept\n")
    (root / "run").symlink_to("/run")
    (tmp_path / "stage").mkdir()
    return root


def _lacking(root: Path, *directories: str) -> tuple[str | Path, ...]:
    return ("lacking", root, root.parent / "stage", str(len(directories)), *directories)


def test_a_directory_that_is_missing_is_there_while_the_program_runs(root: Path) -> None:
    script = f"cd {root}/var/lib && echo a > one/x && echo b > one/deep/y && cat own/kept one/x one/deep/y"
    done = _run(script, *_lacking(root, "/var/lib/one", "/var/lib/one/deep", "/var/lib/own"))
    assert (done.stdout, done.stderr) == ("kept\na\nb\n", "")
    assert os.listdir(root / "var/lib") == ["own"]


def test_what_is_there_keeps_what_is_written(root: Path) -> None:
    done = _run(f"echo new > {root}/var/lib/own/kept", *_lacking(root, "/var/lib/one"))
    assert done.returncode == 0, done.stderr
    assert (root / "var/lib/own/kept").read_text() == "new\n"


def test_no_name_is_made_beside_it_that_would_be_lost(root: Path) -> None:
    done = _run(f"echo lost > {root}/var/lib/other", *_lacking(root, "/var/lib/one"))
    assert done.returncode != 0
    assert "Read-only" in done.stderr


def test_where_nothing_is_missing_nothing_is_mounted(root: Path) -> None:
    done = _run(f"echo new > {root}/var/lib/other", *_lacking(root, "/var/lib/own"))
    assert done.returncode == 0, done.stderr
    assert (root / "var/lib/other").exists()


def test_links_are_not_followed_out_of_the_root(root: Path) -> None:
    done = _run("test ! -e /run/denizen-test-state", *_lacking(root, "/run/denizen-test-state"))
    assert (done.returncode, done.stderr) == (0, "")


def test_several_directories_of_one_parent_share_it(root: Path) -> None:
    names = [f"/var/lib/{name}" for name in ("a", "b", "c/d", "c/e")]
    done = _run(
        f"ls -R {root}/var/lib | grep . | tr '\\n' ' '; touch {root}/var/lib/c/e/x", *_lacking(root, *names)
    )
    assert done.returncode == 0, done.stderr
    assert f"{root}/var/lib/c: d e" in done.stdout


@pytest.mark.parametrize("own", ["one\ntwo\n", "one\ntwo", "x" * 10_000 + "\n", ""])
def test_lines_are_added_to_what_a_file_holds(tmp_path: Path, own: str) -> None:
    source, shown = tmp_path / "source", tmp_path / "shown"
    source.write_text(own)
    done = _run(f"cat {shown}", "joined", source, "three\n", shown)
    assert done.stdout == (own + "\n" if own and own[-1] != "\n" else own) + "three\n"
    assert source.read_text() == own
