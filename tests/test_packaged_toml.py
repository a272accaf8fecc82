"""A packaged TOML file is parsed once, and what is kept of it never differs from the file."""

import sys
from pathlib import Path

import pytest

from denizen.packaged_toml import packaged_toml


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").mkdir()
    table = tmp_path / "table.toml"
    table.write_text('[[row]]\nnames = ["one", "two"]\ncount = 2\n')
    return table


def kept(table: Path) -> Path:
    return table.parent / "__pycache__" / f"table.toml.{sys.implementation.cache_tag}"


def test_what_is_kept_is_what_was_parsed(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = packaged_toml(str(table))
    assert parsed == {"row": [{"names": ["one", "two"], "count": 2}]}
    monkeypatch.setitem(sys.modules, "tomllib", None)
    assert packaged_toml(str(table)) == parsed


def test_a_changed_file_is_parsed_again(table: Path) -> None:
    packaged_toml(str(table))
    table.write_text("changed = true\n")
    for _ in range(2):
        assert packaged_toml(str(table)) == {"changed": True}


@pytest.mark.parametrize("content", [b"", b"no marshal", b"\xe9\x01\0\0\0", b"\xfb" * 100])
def test_a_damaged_copy_is_no_copy(table: Path, content: bytes) -> None:
    packaged_toml(str(table))
    kept(table).write_bytes(content)
    assert "row" in packaged_toml(str(table))
    assert kept(table).read_bytes() != content


def test_where_nothing_can_be_kept_it_is_parsed_each_time(table: Path) -> None:
    (table.parent / "__pycache__").rmdir()
    for _ in range(2):
        assert "row" in packaged_toml(str(table))


def test_where_python_writes_no_bytecode_nothing_is_written(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "row" in packaged_toml(str(table))
    assert not kept(table).exists()
