"""The compiled `denizen` command, which executes the Python script beside it."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.compiled_loaders import compile_loader


def test_it_starts_from_an_environment_whose_path_has_a_space(tmp_path: Path) -> None:
    """The kernel ends the interpreter of a `#!` line at the first space (execve(2))."""
    directory = tmp_path / "a directory"
    directory.mkdir()
    command = compile_loader(directory / "denizen-front")
    python = directory / "python"
    python.symlink_to(sys.executable)
    script = directory / "denizen-python"
    script.write_text(f"#!{python}\nimport sys\nprint(sys.argv)\n")
    script.chmod(0o755)
    done = subprocess.run([command, "one", "two words"], capture_output=True, text=True, check=False)
    assert done.stdout == f"{[os.fspath(script), 'one', 'two words']}\n", done.stderr


def test_without_its_script_it_says_what_to_do(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    done = subprocess.run([command], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "reinstall denizen" in done.stderr


def test_an_environment_that_only_it_has_room_for_is_told_as_the_reason(tmp_path: Path) -> None:
    """The kernel counts the words of the `#!` line too: what it takes for this file, the script exceeds."""
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    python = tmp_path / ("python" * 12)
    python.symlink_to(sys.executable)
    script.write_text(f"#!{python}\n")
    script.chmod(0o755)
    fits, exceeds = 0, 8 << 20
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        with contextlib.suppress(OSError):
            done = _with_environment(command, middle)
            fits = middle
            continue
        exceeds = middle
    done = _with_environment(command, fits)
    assert done.returncode == 125
    assert "longer than the kernel takes" in done.stderr


def _with_environment(command: Path, size: int) -> subprocess.CompletedProcess[str]:
    """Start with variables of that many bytes; one alone may have 128 KiB (execve(2), MAX_ARG_STRLEN)."""
    whole, rest = divmod(size, 100_000)
    texts = ["x" * 100_000] * whole + ["x" * rest]
    environment = {f"F{number:03}": text for number, text in enumerate(texts)}
    return subprocess.run([command], capture_output=True, text=True, check=False, env=environment)


def test_python_is_started_without_site_and_without_the_directory_of_the_script(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    (tmp_path / "struct.py").write_text("raise SystemExit('a file beside the command')\n")
    script.write_text(f"#!{sys.executable}\nimport struct, sys\nprint(sys.flags.no_site, sys.argv[1:])\n")
    script.chmod(0o755)
    words = ["", "--", "-S", "two words"]
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    assert done.stdout == f"1 {words}\n", done.stderr


def test_what_is_no_python_s_script_is_the_kernel_s_to_start(tmp_path: Path) -> None:
    """As installers write it where the interpreter's path is longer than the kernel reads."""
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    script.write_text('#!/bin/sh\necho "$0" "$@"\n')
    script.chmod(0o755)
    done = subprocess.run([command, "one", "two words"], capture_output=True, text=True, check=False)
    assert done.stdout == f"{script} one two words\n", done.stderr


def test_more_words_than_it_has_room_for_arrive_too(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    # Not Python: the kernel takes no interpreter whose path has a space, or 255 bytes.
    script.write_text('#!/bin/sh\neval "last=\\${$#}"\necho $(($# + 1)) "$last"\n')
    script.chmod(0o755)
    for count in (4095, 4096, 5000):
        words = [*(["x"] * (count - 1)), "last"]
        done = subprocess.run([command, *words], capture_output=True, text=True, check=False)
        assert done.stdout == f"{count + 1} last\n", done.stderr
