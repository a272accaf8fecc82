import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import denizen
from denizen.cli.commands.manual import whole_page
from denizen.cli.environment import known_names, public_rows

SOURCES = Path(denizen.__file__).parent
LOADER = Path(__file__).parents[2] / "loader"
# They run as builders in the sandbox: their variables are the derivation's, nobody else's.
# The environment of a derivation is no process's either.
BUILDERS = frozenset({SOURCES / "recipes/fixup.py", SOURCES / "recipes/package_trees.py"})
# A name that is composed where it is read: NAME_proxy of every scheme.
COMPOSED = frozenset({"http_proxy", "https_proxy"})


def names_read_in(tree: ast.AST) -> Iterator[str]:
    """Names read as `environ.get("X")`, `environ["X"]`, `"X" in environ` or `environ.pop("X")`."""
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def text(node: ast.expr) -> str:
        found = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Name):
            found = constants.get(node.id)
        return found.decode() if isinstance(found, bytes) else str(found or "")

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("get", "pop") and "environ" in ast.unparse(node.func.value):
                yield text(node.args[0])
        elif isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
            if ".derivation.environment" not in ast.unparse(node.value):
                yield text(node.slice)
        elif isinstance(node, ast.Compare) and "environ" in ast.unparse(node.comparators[0]):
            yield text(node.left)


@pytest.mark.unmeasured
def test_every_variable_that_python_code_reads_is_in_the_table() -> None:
    read = {
        name
        for path in SOURCES.rglob("*.py")
        if path not in BUILDERS
        for name in names_read_in(ast.parse(path.read_bytes()))
        if re.fullmatch(r"[A-Za-z_]+", name)
    }
    assert {"DENIZEN_ROOT", "NO_COLOR", "PATH", "HOME"} <= read
    assert read <= known_names()


# These hand the whole environment of this process on to a program or a trial.
HANDING_ON = frozenset(
    SOURCES / "launch" / name for name in ("fast_path.py", "namespace_probe.py", "process_state.py")
)
# Run by builders, as a program of its own that answers on its standard output.
OF_BUILDERS = BUILDERS | {SOURCES / "recipes/wheel_dependencies.py"}
_STREAMS = frozenset(
    {"sys.stdout", "sys.stderr", "sys.stdin", "sys.argv", "os.getenv", "os.getenvb", "print"}
)


@pytest.mark.unmeasured
def test_only_the_command_line_prints_and_reads_the_environment() -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{node.lineno}: {name}"
        for path in sorted(SOURCES.rglob("*.py"))
        if SOURCES / "cli" not in path.parents and path not in OF_BUILDERS
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, (ast.Attribute, ast.Call))
        and (name := ast.unparse(node.func if isinstance(node, ast.Call) else node))
        and (name in _STREAMS or (name in ("os.environ", "os.environb") and path not in HANDING_ON))
    ]
    assert found == []


def test_every_variable_that_the_loader_reads_is_in_the_table() -> None:
    texts = [path.read_text() for path in LOADER.rglob("*.[ch]")]
    read = {name for text in texts for name in re.findall(r'process_variable\([^"]*"([A-Z_]+)"', text)}
    marks = {name for text in texts for name in re.findall(r'"(DENIZEN_[A-Z_]+)', text)}
    assert "LD_LIBRARY_PATH" in read
    assert read | marks <= known_names()


def test_the_manual_page_has_every_variable_that_users_set() -> None:
    page = whole_page()
    assert all(f"\\fB{names}\\fR" in page for names, _ in public_rows())
    assert known_names() >= COMPOSED
