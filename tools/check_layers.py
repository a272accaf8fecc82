#!/usr/bin/env python3
"""Fail when a layer imports a higher one, a pure module an effect, or modules import in a circle.

The order below is ARCHITECTURE.md's; this table is where it is kept. Run by `make check` and by
tests/test_layers.py.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "denizen"

# Lowest first. A module may import from its own row and from the rows above it in this list.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"contexts", "value", "lazy", "lazy_pattern"}),
    frozenset({"errors", "machines", "binfmt_misc", "file_content"}),
    frozenset({"bytesio"}),
    frozenset({"sha256"}),
    frozenset({"fileview"}),
    frozenset({"disk", "disk_view", "trust", "output_place"}),
    frozenset({"host", "file_placement", "process_pool", "packaged_toml"}),
    frozenset({"formats"}),
    frozenset({"elf", "nar"}),
    frozenset({"linker"}),
    frozenset({"store"}),
    frozenset({"build"}),
    frozenset({"sources"}),
    frozenset({"index"}),
    frozenset({"resolve"}),
    frozenset({"fhs", "relocate", "profiles", "exports", "system"}),
    frozenset({"recipes"}),
    frozenset({"launch"}),
    frozenset({"diagnose"}),
    frozenset({"app"}),
    frozenset({"cli"}),
)

# Packages whose every module is pure: bytes in, values out. In other packages a module is pure if its
# docstring's first paragraph says so: "(pure)", "(pure over a FileView)".
PURE = frozenset({"elf", "linker", "nar", "formats", "diagnose", "relocate", "exports"})
PURE_MARK = re.compile(r"\(pure\b")
EFFECTS = frozenset(
    {
        "os", "subprocess", "socket", "sqlite3", "shutil", "tempfile", "pathlib", "urllib", "http",
        "threading", "multiprocessing", "asyncio", "signal", "ctypes", "fcntl", "glob",
        "_ctypes", "_signal", "_sqlite3", "_thread",
    }
)  # fmt: skip


def main(arguments: list[str]) -> int:
    source = Path(arguments[0]) if arguments else Path(__file__).parent.parent / "src"
    violations = [*violations_below(source), *circles_below(source)]
    for line in violations:
        print(line)
    return 1 if violations else 0


def violations_below(source: Path) -> Iterator[str]:
    """Every broken rule as `file:line: what`."""
    rank = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source / PACKAGE).with_suffix("").parts
        if parts in {("__init__",), ("__main__",)}:
            continue
        module = ".".join(part for part in parts if part != "__init__")
        if parts[0] not in rank:
            yield f"{path}:1: {parts[0]} is in no layer; add it to {Path(__file__).name}"
            continue
        tree = ast.parse(path.read_bytes())
        pure = parts[0] in PURE or is_marked_pure(tree)
        for line, imported in imports_of(tree, module, is_package=parts[-1] == "__init__"):
            top, _, rest = imported.partition(".")
            if pure and top in EFFECTS:
                yield f"{path}:{line}: {module} is pure and imports {imported}"
            lower = rest.partition(".")[0]
            if top == PACKAGE and lower in rank and rank[lower] > rank[parts[0]]:
                yield f"{path}:{line}: {module} imports {imported}, a higher layer"


def is_marked_pure(tree: ast.Module) -> bool:
    """Tell whether the first paragraph of a module's docstring says that the module is pure."""
    summary = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    return PURE_MARK.search(summary) is not None


def circles_below(source: Path) -> Iterator[str]:
    """Yield one line for each set of modules that import each other, naming every arrow of it.

    An import counts wherever it stands: inside a function and under TYPE_CHECKING too, since two
    modules that need each other's names are one module to whoever reads or changes them.
    """
    graph = import_graph(source)
    for circle in strongly_connected(graph):
        if len(circle) > 1 or circle[0] in graph[circle[0]]:
            arrows = [
                f"{module}:{line} -> {imported}"
                for module in sorted(circle)
                for imported, line in sorted(graph[module].items())
                if imported in circle
            ]
            yield f"circle: {', '.join(arrows)}"


def import_graph(source: Path) -> dict[str, dict[str, int]]:
    """Return for each module below `source` the modules it imports, each with its first line."""
    paths = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        paths[".".join(part for part in parts if part != "__init__")] = path
    graph: dict[str, dict[str, int]] = {}
    for module, path in paths.items():
        graph[module] = {}
        found = imports_of(
            ast.parse(path.read_bytes()),
            module.partition(".")[2],
            is_package=path.name == "__init__.py",
        )
        for line, imported in found:
            # `from package import name`: the submodule where there is one, else the package.
            target = imported if imported in paths else imported.rpartition(".")[0]
            if target in paths:
                graph[module].setdefault(target, line)
    return graph


def strongly_connected(graph: dict[str, dict[str, int]]) -> list[list[str]]:
    """Return the strongly connected components of `graph` (Tarjan, 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for reached in graph[node]:
            if reached not in order:
                visit(reached)
                lowest[node] = min(lowest[node], lowest[reached])
            elif reached in stack:
                lowest[node] = min(lowest[node], order[reached])
        if lowest[node] == order[node]:
            start = stack.index(node)
            components.append(stack[start:])
            del stack[start:]

    for node in graph:
        if node not in order:
            visit(node)
    return components


def imports_of(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import, wherever in the file it stands."""
    package = [part for part in (PACKAGE, *module.split(".")) if part]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            up = node.level - (1 if is_package else 0)
            base = package[: len(package) - up] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{prefix}.{alias.name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
