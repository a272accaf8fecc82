#!/usr/bin/env python3
"""Write docs/modules.md, every module in one line: `python tools/list_modules.py [--check]`.

A line is the first sentence of the module's docstring, of a C file that of its own first comment or its
header's. With `--check`, of `make check`, nothing is written, and a list that is not up to date is a failure;
`make format` writes it.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIST = ROOT / "docs/modules.md"
# Folders with their sub-folders, in the order of the list, and the folder that names begin at.
TREES = (("src/denizen", "src/denizen"), ("loader", "."), *((one, ".") for one in ("tests/support", "tools")))
HEAD = """# Every module in one line

Made from the modules' docstrings by `make format`. [Where to change](where-to-change.md) begins at the
question; this begins at the name. Python is below `src/denizen`, unless another folder is named.
"""


def main(arguments: list[str]) -> int:
    text = HEAD + "".join(listed())
    if arguments != ["--check"]:
        LIST.write_text(text, encoding="utf-8")
    elif not LIST.exists() or LIST.read_text(encoding="utf-8") != text:
        print("docs/modules.md is not what the modules' docstrings say: make format writes it")
        return 1
    return 0


def listed() -> Iterator[str]:
    """Yield the list's sections, one for each folder that has modules."""
    for top, base in TREES:
        folders = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
        for folder in sorted(folders):
            rows = list(rows_of(folder))
            if rows:
                name = folder.relative_to(ROOT / base).as_posix()
                yield f"\n## {'src/denizen' if name == '.' else name}/\n\n| module | is |\n|---|---|\n"
                yield "".join(rows)


def rows_of(folder: Path) -> Iterator[str]:
    """Yield a row for each module of a folder that says what it is."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".py", ".c") and path.name != "__init__.py":
            about = first_sentence(docstring(path) if path.suffix == ".py" else comment(path))
            if about:
                yield f"| {path.name} | {about.replace('|', chr(92) + '|')} |\n"


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_bytes())) or ""


def comment(path: Path) -> str:
    """Return the comment that a C file begins with, else that of its header."""
    for one in (path, path.with_suffix(".h")):
        if one.exists() and (found := re.match(r"/\*(.*?)\*/", one.read_text(encoding="utf-8"), re.DOTALL)):
            return found[1]
    return ""


def first_sentence(text: str) -> str:
    words = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[\w)`'\"])\. (?=[A-Z`])", words)[0].removesuffix(".").removesuffix(" (pure)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
