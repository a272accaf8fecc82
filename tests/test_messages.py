"""What messages tell people to look at or to write is there, and is right."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import denizen
from denizen.app.project_file import NoProject
from denizen.fhs.project_environment import EXAMPLE, BadProject, read

HERE = Path(denizen.__file__).parent
# The repository's files are not installed: docs/x.md, DESIGN.md, tests/x.
_NOT_INSTALLED = re.compile(r"\b(docs|tests|tools|benchmarks|loader)/\S+\.\w+|\b[A-Z]{3,}\.md\b")


def texts(module: Path) -> Iterator[str]:
    """Every text of a module but its docstrings."""
    tree = ast.parse(module.read_text())
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


@pytest.mark.unmeasured
def test_no_message_names_a_file_that_is_not_installed() -> None:
    named = [
        f"{path.relative_to(HERE)}: {text[:100]}"
        for path in sorted(HERE.rglob("*.py"))
        for text in texts(path)
        if _NOT_INSTALLED.search(text)
    ]
    assert named == []


@pytest.mark.parametrize(
    "remedy", [NoProject("/here").remedy, BadProject("/here", ("it has no table [fhs]",)).remedy]
)
def test_the_denizen_toml_a_hint_shows_can_be_used(remedy: str) -> None:
    _, _, shown = remedy.partition("\n")
    settings = read(shown.encode(), "/project/denizen.toml", "amd64")
    assert settings.packages == ("gcc", "python3")
    assert "packages" in tomllib.loads(EXAMPLE)["fhs"]
