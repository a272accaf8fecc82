"""The words that start denizen for the loader: what is imported does not depend on who asks."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

from denizen.app.helper_command import helper_words
from denizen.cli.command import Context
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.command_context import context_of
from tests.support.compiled_loaders import TIMEOUT, LoaderSysroot, compile_loader, run


def context(root: str | None = None, **environ: str) -> Context:
    return context_of(environ, root)


def hostile(directory: Path) -> dict[str, str]:
    """An environment and a directory in which Python finds an attacker's modules first."""
    for name in ("hashlib", "struct", "denizen", "sitecustomize", "usercustomize"):
        (directory / f"{name}.py").write_text('import sys\nsys.exit("taken over")\n')
    return {
        "PYTHONPATH": str(directory), "PYTHONHOME": "/nowhere", "PYTHONUSERBASE": str(directory),
        "PYTHONSTARTUP": str(directory / "struct.py"), "HOME": str(directory),
    }  # fmt: skip


def test_neither_variables_nor_the_directory_say_what_is_imported(tmp_path: Path) -> None:
    words = helper_words(context(str(tmp_path / "root")).session, "decide")
    done = subprocess.run(
        [*words, "--help"], env=hostile(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=TIMEOUT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "denizen decide" in done.stdout


def test_denizen_is_found_where_it_is_in_no_site_directory(tmp_path: Path) -> None:
    """As with PYTHONPATH=src, or below a user's site directory, which an isolated Python does not know."""
    words = helper_words(context(str(tmp_path / "root")).session, "decide")
    done = subprocess.run(
        [words[0], "-S", *words[1:], "--help"],
        env={},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert "denizen decide" in done.stdout


def test_a_program_with_an_environment_of_its_own_has_its_helper(tmp_path: Path) -> None:
    """The loader's helper is asked from a hostile environment, and speaks for itself."""
    sysroot = LoaderSysroot(tmp_path, compile_loader(tmp_path / "plain-loader"))
    program = sysroot.compile("say", "int main() { return 0; }")
    command = (*helper_words(context(str(tmp_path / "root")).session, "decide"), b"--strategy", b"none")
    sysroot.configure(LoaderSettings(directories=(bytes(sysroot.decisions),), command=command))
    done = run(program, env={**hostile(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)})
    assert done.returncode == 127
    assert "taken over" not in done.stderr
    assert "--strategy" in done.stderr


def test_the_words_carry_directories_and_proxies_but_no_password(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": "/c",
        "http_proxy": "http://p:1",
        "https_proxy": "http://u:secret@p:1",
    }
    words = helper_words(context(None, **environ).session, "decide")
    settings = [word for before, word in itertools.pairwise(words) if before == b"--set"]
    home = os.fsencode(tmp_path)
    assert settings == [
        b"XDG_DATA_HOME=" + home + b"/.local/share",
        b"XDG_STATE_HOME=" + home + b"/.local/state",
        b"XDG_CACHE_HOME=/c",
        b"XDG_CONFIG_HOME=" + home + b"/.config",
        b"http_proxy=http://p:1",
    ]
    assert os.fsdecode(words[0]) == sys.executable
