#!/usr/bin/env python3
"""Fail when a lower layer imports a higher one, or a pure module imports an effect.

The order below is ARCHITECTURE.md's; this table is where it is kept. Run by `make check` and by
tests/test_layers.py.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "denizen"

# Lowest first. A module may import from its own row and from the rows above it in this list.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"value"}),
    frozenset({"errors", "machines"}),
    frozenset({"bytesio"}),
    frozenset({"fileview"}),
    frozenset({"disk", "trust"}),
    frozenset({"host", "helpers"}),
    frozenset({"formats"}),
    frozenset({"elf", "nar"}),
    frozenset({"linker"}),
    frozenset({"store"}),
    frozenset({"build"}),
    frozenset({"sources"}),
    frozenset({"index"}),
    frozenset({"resolve"}),
    frozenset({"fhs", "relocate", "profiles"}),
    frozenset({"launch"}),
    frozenset({"diagnose"}),
    frozenset({"cli"}),
)

# Pure: bytes in, values out. Packages, or single modules of a package that has effects elsewhere.
PURE = (
    "value", "errors", "machines", "bytesio", "fileview", "elf", "linker", "nar", "formats",
    "launch.decision", "launch.furnishing", "launch.later", "launch.libraries", "launch.loaderconfig",
    "launch.stub", "launch.subject", "launch.wire", "launch.namespace", "launch.strategies", "launch.linking",
    "launch.hostview", "launch.interpreters", "launch.wants", "resolve.recipes",
    "store.references", "store.graph", "store.info", "store.sidecar", "store.marker",
    "build.derivation", "build.recipe", "build.fetch", "build.unpack_deb", "build.union", "build.libraries",
    "index.entry", "diagnose",
    "resolve.resolution", "resolve.skeleton", "resolve.world", "resolve.bundle", "resolve.roots",
    "resolve.subject", "resolve.choose", "resolve.wishes", "resolve.opened", "resolve.endings",
    "resolve.remembered", "resolve.applicable", "resolve.lock", "resolve.plan",
    "resolve.closures", "resolve.testimony",
    "fhs.drivers", "fhs.relations", "fhs.closure", "fhs.control", "fhs.etc", "fhs.model", "fhs.mounts",
    "fhs.recipe", "fhs.rules", "fhs.launcher",
)  # fmt: skip
EFFECTS = frozenset(
    {
        "os", "subprocess", "socket", "sqlite3", "shutil", "tempfile", "pathlib", "urllib", "http",
        "threading", "multiprocessing", "asyncio", "signal", "ctypes", "fcntl", "glob",
    }
)  # fmt: skip


def main(arguments: list[str]) -> int:
    source = Path(arguments[0]) if arguments else Path(__file__).parent.parent / "src"
    violations = list(violations_below(source))
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
        pure = any(module == name or module.startswith(name + ".") for name in PURE)
        for line, imported in imports_of(
            ast.parse(path.read_bytes()), module, is_package=parts[-1] == "__init__"
        ):
            top, _, rest = imported.partition(".")
            if pure and top in EFFECTS:
                yield f"{path}:{line}: {module} is pure and imports {imported}"
            lower = rest.partition(".")[0]
            if top == PACKAGE and lower in rank and rank[lower] > rank[parts[0]]:
                yield f"{path}:{line}: {module} imports {imported}, a higher layer"


def imports_of(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import, wherever in the file it stands."""
    package = f"{PACKAGE}.{module}".split(".")
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
