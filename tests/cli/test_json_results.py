"""With --json each command writes one document, or says that its result is not one."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from denizen.cli.dispatch import TABLE, commands_of, dispatch


class JsonRoot:
    """A root whose commands are called with --json."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory, self._capsys = directory, capsys

    def answer(self, *words: str | Path) -> Any:  # of each command another
        """Return the document that a command writes."""
        self._capsys.readouterr()
        line = ["--root", str(self.directory / "root"), *map(str, words), "--json"]
        assert dispatch(line) == 0, self._capsys.readouterr().err
        return json.loads(self._capsys.readouterr().out)


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> JsonRoot:
    return JsonRoot(tmp_path, capsys)


def test_the_store_answers_with_places(root: JsonRoot, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content\n")
    store = root.answer("store", "create")
    foretold = root.answer("store", "path-for", file)
    (added,) = root.answer("store", "add", file)
    assert foretold == {"path": added["path"]}
    assert store == {"path": os.path.dirname(added["path"])}
    cache = tmp_path / "cache"
    (written,) = root.answer("store", "export", cache, added["path"])
    assert os.path.dirname(written) == str(cache)
    assert root.answer("store", "import", cache, added["path"]) == []
    place = tmp_path / "elsewhere"
    assert root.answer("store", "move", place) == {"path": str(place), "astray": []}
    (tmp_path / "archive").write_bytes(_archive_of(file))
    stdin = os.dup(0)
    with open(tmp_path / "archive", "rb") as stream:
        os.dup2(stream.fileno(), 0)
        try:
            assert root.answer("store", "restore", tmp_path / "copy") == {"path": str(tmp_path / "copy")}
        finally:
            os.dup2(stdin, 0)
            os.close(stdin)
    assert (tmp_path / "copy").read_text() == "content\n"


def _archive_of(path: Path) -> bytes:
    from denizen.store.trees.dump import BUFFER, dump

    written = io.BytesIO()
    buffer = memoryview(bytearray(BUFFER))

    def take(piece: memoryview) -> memoryview:
        written.write(piece)
        return buffer

    dump(os.fsencode(path), take, buffer)
    return written.getvalue()


def test_sources_are_told_as_they_come_and_go(root: JsonRoot, tmp_path: Path) -> None:
    added = root.answer("source", "add", "mine", tmp_path, "--directory")
    assert added == {"name": "mine", "path": str(tmp_path / "root" / "config" / "sources" / "mine.sources")}
    assert root.answer("source", "remove", "mine") == {"removed": "mine"}


def test_a_result_of_another_format_is_no_document(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [command for group in TABLE for command in commands_of(group) if command.is_text]
    assert {command.words[0] for command in texts} == {"completion", "log", "manual", "store"}
    for command in texts:
        words = [*command.words, *(["word"] if command.positionals else [])]
        assert dispatch([*words, "--json"]) == 2
        assert "its result is not one for --json" in capsys.readouterr().err
    for words in (
        ["env", "--direnv"],
        ["command-not-found", "--hook", "bash"],
        ["develop", "--print-env", "--recipe", os.devnull],
    ):
        assert dispatch([*words, "--json"]) == 2
        assert "not for --json" in capsys.readouterr().err


def test_without_a_command_none_is_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["command-not-found"]) == 2
    assert "COMMAND is missing" in capsys.readouterr().err
