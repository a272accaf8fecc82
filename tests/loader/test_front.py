"""The compiled `denizen` command, which executes the Python script beside it."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiled_loaders import compile_loader
from tests.support.compiled_programs import compiled

_HOSTS = (Path("/usr/bin/python3"), Path("/usr/local/bin/python3"))


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


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "de_DE.ISO-8859-1"])
def test_results_are_in_utf_8_whatever_the_locale(tmp_path: Path, locale: str) -> None:
    """In UTF-8 mode Python asks no locale, so that one which is not installed is as good as any."""
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    script.write_text(f"#!{python}\nimport sys\nprint(sys.flags.utf8_mode, sys.argv[1])\n")
    script.chmod(0o755)
    environment = {"LC_ALL": locale, "PATH": os.environ["PATH"]}
    done = subprocess.run([command, "\u2500"], capture_output=True, env=environment, check=False)
    assert done.stdout.decode() == "1 \u2500\n", done.stderr


def test_without_its_script_it_says_what_to_do(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    done = subprocess.run([command], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "reinstall denizen" in done.stderr


@pytest.mark.parametrize(("limit", "told"), [(12, "not enough memory for this"), (13, "reinstall denizen")])
def test_less_memory_than_python_takes_is_told_without_it(tmp_path: Path, limit: int, told: str) -> None:
    """Python says so in pages of its own, and its dynamic linker that a library has no segment."""
    command = compile_loader(tmp_path / "denizen-front")
    limited = ["sh", "-c", f"ulimit -v {limit << 10}; exec {command}"]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert told in done.stderr


def test_a_python_that_is_closed_to_the_user_is_told(tmp_path: Path) -> None:
    """As below another user's home: to install denizen again would not help."""
    command = compile_loader(tmp_path / "denizen-front")
    (tmp_path / "python").write_text("not to be executed")
    script = tmp_path / "denizen-python"
    script.write_text(f"#!{tmp_path}/python\n")
    script.chmod(0o755)
    done = subprocess.run([command], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "is closed to this user" in done.stderr


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


@pytest.mark.parametrize("blocked", [False, True])
def test_an_interrupt_waits_while_python_starts_and_a_caller_s_mask_stays(
    tmp_path: Path, *, blocked: bool
) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    text = f"#!{sys.executable}\nimport sys, signal\n"
    text += (
        "print('interrupt' in sys._xoptions, signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n"
    )
    (tmp_path / "denizen-python").write_text(text)
    how = signal.SIG_BLOCK if blocked else signal.SIG_UNBLOCK
    done = subprocess.run(
        [command],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.pthread_sigmask(how, {signal.SIGINT}),  # no thread is there
    )
    assert done.stdout == f"{not blocked} True\n", done.stderr


def test_an_interrupt_before_the_command_line_is_read_ends_denizen_without_a_traceback(
    tmp_path: Path,
) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    installed = Path(sys.executable).with_name("denizen-python").read_text()
    first, rest = installed.split("\n", 1)
    script = f"{first}\nimport os\nos.kill(os.getpid(), 2)\n{rest}"
    (tmp_path / "denizen-python").write_text(script)
    done = subprocess.run([command, "store", "list"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("count", [4095, 4096, 20_000])
def test_any_number_of_words_arrives(tmp_path: Path, count: int) -> None:
    """Even where the kernel would not start the script, for which nothing but its mode is needed."""
    command = compile_loader(tmp_path / "denizen-front")
    (tmp_path / "denizen-python").write_text(
        f"#!{sys.executable}\nimport sys\nprint(len(sys.argv), sys.argv[-1], sys.flags.no_site)\n"
    )
    words = [*(["x"] * (count - 1)), "last"]
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    assert done.stdout == f"{count + 1} last 1\n", done.stderr


def test_any_number_of_words_arrives_by_the_kernel_too(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    script.write_text('#!/bin/sh\neval "last=\\${$#}"\necho $(($# + 1)) "$last"\n')
    script.chmod(0o755)
    words = [*(["x"] * 5000), "last"]
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    assert done.stdout == "5002 last\n", done.stderr


def test_the_script_of_this_installation_can_be_executed() -> None:
    assert os.access(Path(sys.executable).with_name("denizen-python"), os.X_OK)


def test_variables_that_are_for_the_programs_python_do_not_reach_denizens(tmp_path: Path) -> None:
    """With PYTHONHOME of another Python, or a PYTHONMALLOC that is none, Python would not start at all."""
    command = compile_loader(tmp_path / "denizen-front")
    script = tmp_path / "denizen-python"
    script.write_text(f"#!{sys.executable}\nimport os, sys\nprint(os.environ['PYTHONHOME'], sys.argv[1:])\n")
    script.chmod(0o755)
    environment = {"PYTHONHOME": "/nowhere", "PYTHONMALLOC": "none of these", "PYTHONIOENCODING": "nor this"}
    done = subprocess.run([command, "word"], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "/nowhere ['word']\n", done.stderr


_SHOWING = """
#include <stdio.h>
#include <string.h>
extern char **environ;
int main(void) {
    for (char **one = environ; *one; one++) if (strstr(*one, "LIBRARY_PATH=")) puts(*one);
    return 0;
}
"""


def _library_path(place: Path, python: Path, words: str) -> dict[str, str]:
    """Return the variables that a Python is started with, for a caller's LD_LIBRARY_PATH."""
    command = compile_loader(place / "denizen-front")
    script = place / "denizen-python"
    script.write_text(f"#!{python}\nimport os\nfor pair in os.environ.items(): print('='.join(pair))\n")
    script.chmod(0o755)
    environment = {"LD_LIBRARY_PATH": words}
    done = subprocess.run([command], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    return {name: text for name, text in found.items() if name.endswith("LIBRARY_PATH")}


def test_the_hosts_python_does_not_start_with_libraries_of_the_program(tmp_path: Path) -> None:
    hosts = next(filter(Path.exists, _HOSTS), None)
    if hosts is None:
        pytest.skip("this host has no Python of its own")
    (tmp_path / "python").symlink_to(hosts)
    (tmp_path / "libm.so.6").write_text("of another system")
    for words, left in (
        (f"{tmp_path}", {}),
        (f"{tmp_path}:", {}),
        (f"/usr/lib/nowhere;{tmp_path}:/lib/nowhere", {"LD_LIBRARY_PATH": "/usr/lib/nowhere:/lib/nowhere"}),
        ("", {}),
    ):
        found = _library_path(tmp_path, tmp_path / "python", words)
        assert found == {"DENIZEN_LIBRARY_PATH": words, **left}


def test_another_python_is_kept_from_a_directory_with_a_c_library_alone(tmp_path: Path) -> None:
    """Its own libraries may be found by the variable."""
    python = tmp_path / "python"
    python.write_bytes(compiled(["show.c"], {"show.c": _SHOWING.encode()}))
    python.chmod(0o755)
    system, own = tmp_path / "system", tmp_path / "own"
    for place in (system, own):
        place.mkdir()
    (system / "libc.so.6").write_text("of another system")
    words = f"{system}:{own}:relative"
    found = _library_path(tmp_path, python, words)
    assert found == {"DENIZEN_LIBRARY_PATH": words, "LD_LIBRARY_PATH": f"{own}:relative"}
