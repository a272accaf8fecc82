#!/usr/bin/env python3
"""`make recipes`: real programs built by recipes, twice, and started where there is nothing else.

    tools/recipes.py [--root DIR] [--table FILE] [RECIPE...]

Each directory of examples/recipes is built, and built once more for the comparison. What was built is started
on a bare root that has its closure alone, then its closure is exported to a cache, imported into a store in
another directory, and started from there. A script is started by denizen, which brings its interpreter. The
closing line is "N of N". What the archive has removed since makes a recipe fail; it is told as such.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import denizen
from denizen.recipes.recipe_derivation import unfit_character
from tests.support.python_prefix import PREFIX, SOURCES, python_prefix

RECIPES = Path(__file__).parent.parent / "examples" / "recipes"
# Names of what compiles: none of it may be in the closure of what was built.
COMPILERS = ("gcc-", "g++-", "cpp-", "binutils", "libc6-dev", "cargo", "rustc", "cmake", "meson", "fhs")


@dataclass(frozen=True)
class Trial:
    """How a built program is started, and the sign that it works.

    Attributes:
        words: the command, relative to the output.
        given: its standard input.
        works: whether its output is right.
        script: it is a script, which denizen starts.
    """

    words: tuple[str, ...]
    given: bytes
    works: Callable[[bytes], bool]
    script: bool = False


def _has(text: bytes) -> Callable[[bytes], bool]:
    return lambda out: text in out


TRIALS = {
    "hello": Trial(("bin/hello",), b"", _has(b"Hello, world!")),
    "zlib": Trial(("bin/minigzip",), b"text" * 99, lambda out: gzip.decompress(out) == b"text" * 99),
    "jq": Trial(("bin/jq", "-r", '.a | test("^b+$")'), b'{"a": "bbb"}', _has(b"true\n")),
    "tree": Trial(("bin/tree", "/proc/self/fdinfo"), b"", _has(b"1 directory")),
    "sqlite": Trial(("bin/sqlite3", ":memory:", "select sqlite_version()"), b"", _has(b"3.46.1\n")),
    "lua": Trial(("bin/lua", "-e", "print(2^53)"), b"", _has(b"9.007")),
    "ninja": Trial(("bin/ninja", "--version"), b"", _has(b"1.12.1\n")),
    "tabulate": Trial(("bin/tabulate", "-1"), b"name size\nlibc 9\n", _has(b"name      size\n"), script=True),
    "hexyl": Trial(("bin/hexyl", "--color=never"), b"denizen\n", _has(b"64 65 6e 69 7a 65 6e 0a")),
    "fribidi": Trial(("bin/fribidi", "--nopad"), "שלום\n".encode(), _has("םולש".encode())),
}


@dataclass
class Row:
    """What became of one recipe."""

    name: str
    build_seconds: float = 0.0
    closure: list[str] = field(default_factory=list)
    size: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    arguments = _arguments()
    root = arguments.root.absolute()
    rows = []
    for name in arguments.recipes or sorted(TRIALS):
        row = Row(name)
        try:
            tried(row, root)
        except subprocess.CalledProcessError as failed:
            row.problems.append(_said(failed))
        print(f"{name}: {'; '.join(row.problems) or 'good'}", flush=True)
        rows.append(row)
    text = "\n".join(table(rows))
    print(text)
    if arguments.table:
        arguments.table.write_text(text + "\n")
    good = sum(not row.problems for row in rows)
    print(f"{good} of {len(rows)}")
    return 0 if good == len(rows) else 1


def tried(row: Row, root: Path) -> None:
    """Build a recipe twice, look at its closure, and start it here and from another store."""
    # A copy: what it was locked to when it was written, the archive need not have any more.
    recipe = root / "recipes" / row.name
    shutil.copytree(RECIPES / row.name, recipe, dirs_exist_ok=True)
    begun = time.monotonic()
    made = _outputs(root, "build", "--no-out-link", str(recipe))
    row.build_seconds = time.monotonic() - begun
    try:
        _outputs(root, "build", "--no-out-link", "--check", str(recipe))
    except subprocess.CalledProcessError as failed:
        row.problems.append(_said(failed))
    closure = _lines(root, "store", "closure", made["out"])
    row.closure = sorted(os.path.basename(place)[33:] for place in closure)
    row.size = sum(one["nar_size"] for one in json.loads(_text(root, "store", "info", "--json", *closure)))
    row.problems += [f"{one} is in its closure" for one in row.closure if one.startswith(COMPILERS)]
    trial = TRIALS[row.name]
    if not _starts(trial, made["out"], closure, root):
        row.problems.append("it does not start on a bare root")
    with_copy(row, trial, root, made["out"])


def with_copy(row: Row, trial: Trial, root: Path, out: str) -> None:
    """Bring a closure into a store in another directory, and start the program there."""
    cache, other = root / "copied" / "cache", root / "copied" / f"a longer way to {row.name}"
    secret, public = root / "copied" / "secret", root / "copied" / "public"
    if not secret.exists():
        secret.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["nix-store", "--generate-binary-cache-key", "here-1", secret, public], check=True)
    _text(root, "store", "export", "--key", str(secret), str(cache), out)
    top = _lines(other, "store", "import", "--trust", public.read_text(), str(cache), out)[-1]
    closure = _lines(other, "store", "closure", top)
    foreign = [one for one in closure if str(root / "data") in one]
    if foreign or not _starts(trial, top, closure, root):
        row.problems.append("it does not start from another store")
    subprocess.run(["chmod", "-R", "u+w", other], check=True)
    shutil.rmtree(other)
    shutil.rmtree(cache)


def _starts(trial: Trial, out: str, closure: Sequence[str], root: Path) -> bool:
    """Start a program on a root with nothing but its closure, or with denizen besides."""
    shown = [word for place in closure for word in ("--ro-bind", place, place)]
    binds = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108  # a root of its own
    words = [os.path.join(out, trial.words[0]), *trial.words[1:]]
    if trial.script:
        sources = Path(denizen.__file__).parent.parent
        binds += ["--ro-bind", str(python_prefix()), PREFIX, "--ro-bind", str(sources), SOURCES]
        binds += ["--bind", str(root), str(root), "--setenv", "PATH", f"{PREFIX}/bin"]
        words = [f"{PREFIX}/bin/denizen", "run", "--root", str(root), *words]
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--clearenv", *binds, *shown, "--", *words]
    done = subprocess.run(command, input=trial.given, capture_output=True, check=False, timeout=600)
    if done.returncode or not trial.works(done.stdout):
        print((done.stdout + done.stderr).decode(errors="replace")[-1000:], file=sys.stderr)
        return False
    return True


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table of all recipes."""
    lines = ["| recipe | built in | objects | size | |", "|---|---:|---:|---:|---|"]
    for row in rows:
        word = "; ".join(row.problems).replace("|", "\\|")[:160] or "reproducible, starts in both stores"
        size = f"{row.size / 1e6:.1f} MB"
        lines.append(f"| {row.name} | {row.build_seconds:.0f} s | {len(row.closure)} | {size} | {word} |")
    return lines


def _outputs(root: Path, *words: str) -> dict[str, str]:
    (outputs,) = json.loads(_text(root, *words, "--json")).values()
    return dict(outputs)


def _lines(root: Path, *words: str) -> list[str]:
    return _text(root, *words).splitlines()


def _text(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "denizen", "--root", os.fspath(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _said(failed: subprocess.CalledProcessError) -> str:
    return " ".join(str(failed.stderr).strip().splitlines()[-12:])[-700:]


def _usual_root() -> Path:
    """Return build/recipes here, or a temporary directory if build systems cannot handle its name."""
    here = Path("build/recipes").absolute()
    if unfit_character(os.fsencode(here)):
        return Path(tempfile.gettempdir()) / f"denizen-recipes-{os.getuid()}"
    return here


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    parser.add_argument("--root", type=Path, default=_usual_root())
    parser.add_argument("--table", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
