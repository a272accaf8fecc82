#!/usr/bin/env python3
"""Fail where a newcomer could not search for a name, or would have to decode a docstring.

Three rules over src/denizen, from CONTRIBUTING.md:

- a class name means one thing in the project: no two modules define the same one;
- every public class and function has a docstring (methods of a Protocol's implementations may leave
  it to the Protocol; dunder methods say what they do by their name);
- a docstring begins with the object or with what is returned or done, not with a question word or with
  a word that points to something else ("The same").

Run by `make layers` and by tests/test_names.py.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "denizen"
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
QUESTION = re.compile(
    r"(What|Whether|Those|Who|Whose|So many|That|How|Where|Which|Why|The same|As|It|Anything|Theirs)\b"
)


def main(arguments: list[str]) -> int:
    source = Path(arguments[0]) if arguments else Path(__file__).parent.parent / "src"
    violations = list(violations_below(source))
    for line in violations:
        print(line)
    return 1 if violations else 0


def violations_below(source: Path) -> Iterator[str]:
    """Every broken rule as `file:line: what`."""
    trees = {path: ast.parse(path.read_bytes()) for path in sorted((source / PACKAGE).rglob("*.py"))}
    yield from classes_of_one_name(trees)
    inherited = methods_of_protocols(trees.values())
    for path, tree in trees.items():
        if QUESTION.match(about := ast.get_docstring(tree) or ""):
            yield f"{path}:1: the docstring of the module begins so: {about[:40]!r}"
        for node, name, public in definitions(tree):
            text = ast.get_docstring(node)
            owner, _, own = name.rpartition(".")
            if text is None and public and not (owner and own in inherited):
                yield f"{path}:{node.lineno}: {name} has no docstring"
            elif text and QUESTION.match(text):
                yield f"{path}:{node.lineno}: the docstring of {name} begins so: {text[:40]!r}"


def classes_of_one_name(trees: dict[Path, ast.Module]) -> Iterator[str]:
    """Class names that more than one module defines."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{where[0]}: the class name {name} stands also at {', '.join(where[1:])}"


def methods_of_protocols(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Names of methods that a Protocol or the root of the errors documents for all who implement it."""
    names: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and _documents_for_others(node):
                names.update(item.name for item in node.body if isinstance(item, ast.FunctionDef))
    return frozenset(names)


def _documents_for_others(node: ast.ClassDef) -> bool:
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return "Protocol" in bases or node.name == "DenizenError"


def definitions(tree: ast.Module) -> Iterator[tuple[Definition, str, bool]]:
    """(node, dotted name, public) of every class, and of functions that are not inside another function."""

    def below(node: ast.AST, prefix: str, *, public: bool) -> Iterator[tuple[Definition, str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If):
                yield from below(child, prefix, public=public)
            elif isinstance(child, Definition):
                shown = public and not child.name.startswith("_")
                yield child, prefix + child.name, shown
                if isinstance(child, ast.ClassDef):
                    yield from below(child, f"{prefix}{child.name}.", public=shown)

    yield from below(tree, "", public=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
