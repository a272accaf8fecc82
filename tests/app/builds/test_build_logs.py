"""Logs of builds: how they are found."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denizen.app.builds.build_logs import note_recipe
from denizen.app.builds.unused_logs import prune_logs
from denizen.app.retention import UNUSED_FOR
from denizen.app.supply.store_access import made_store
from denizen.build.runner import build_log
from denizen.build.runner.build_log import BuildLog, log_path, read_log
from denizen.cli.dispatch import dispatch
from denizen.formats import storepath
from tests.support.command_context import context_of


def test_a_recipe_has_the_log_of_its_last_build(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    recipe = tmp_path / "project" / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text('name = "a"\nversion = "1"\n')
    root = str(tmp_path / "root")
    session = context_of({}, root).session
    with made_store(session) as store:
        for digit in "ab":
            drv = storepath.from_base(f"{digit * 32}-{digit}.drv")
            note_recipe(store, os.path.realpath(recipe), drv)
            log = BuildLog(log_path(store.layout, drv))
            log.write(b"built %b\n" % digit.encode())
            log.close()
    for words in (["log", str(recipe)], ["log", str(recipe.parent)]):
        assert dispatch(["--root", root, *words]) == 0
        assert capfdbinary.readouterr().out == b"built b\n"
    assert dispatch(["--root", root, "log", str(tmp_path)]) == 125
    with made_store(session) as store:
        os.utime(log_path(store.layout, drv), (1, 1))
        assert prune_logs(store, UNUSED_FOR) == 1
        assert os.listdir(store.layout.state + b"/logs/by-recipe") == []
    assert dispatch(["--root", root, "log", str(recipe)]) == 125
    assert b"there is no log of a build of" in capfdbinary.readouterr().err


def test_without_a_word_the_recipe_here_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with made_store(context_of({}, str(tmp_path / "root")).session):
        assert dispatch(["--root", "root", "log"]) == 125
    assert "there is no log of a build of ." in capsys.readouterr().err


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.tuples(st.binary(min_size=1, max_size=60), st.integers(1, 40)).map(
        lambda one: one[0] * one[1]
    ),
    step=st.integers(1, 100),
    block=st.integers(1, 80),
    lost=st.integers(0, 40),
)
def test_a_log_is_read_whole_for_any_block_and_as_far_as_it_goes(
    tmp_path: Path, content: bytes, step: int, block: int, lost: int
) -> None:
    """That of a build that was killed lacks its end."""
    path = tmp_path / "log"
    log = BuildLog(os.fsencode(path))
    for at in range(0, len(content), step):
        log.write(content[at : at + step])
    log.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_log, "_BLOCK", block)
        assert b"".join(read_log(os.fsencode(path))) == content
        os.truncate(path, max(0, path.stat().st_size - lost))
        found = b"".join(read_log(os.fsencode(path)))
    assert content.startswith(found)
    assert lost or found == content
