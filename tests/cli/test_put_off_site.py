"""The command starts Python without `site`, and nothing is lost by it: whatever way denizen was installed."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import denizen
from denizen.cli.main import SITE
from tests.support.compiled_loaders import compile_loader

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "denizen"
PACKAGE = Path(denizen.__file__).parent
VERSION = f"denizen {denizen.__version__}\n"


class Installation:
    """An environment of its own with the command in it, and a .pth file that leaves a mark."""

    def __init__(self, home: Path) -> None:
        venv.create(home, symlinks=True)
        self.python = home / "bin" / "python"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self.packages = home / "lib" / version / "site-packages"
        self.mark = home / "mark"
        self.elsewhere = home / "elsewhere"
        self.elsewhere.mkdir()
        (self.elsewhere / "somebody.py").write_text("")
        code = f"import os; os.close(os.open({os.fspath(self.mark)!r}, os.O_CREAT | os.O_WRONLY))"
        (self.packages / "marking.pth").write_text(f"{code}\n{self.elsewhere}\n")
        (self.packages / "beside.py").write_text("")
        self.command = compile_loader(home / "denizen-front").rename(home / "bin" / "denizen")
        self.write_script(SCRIPT.read_text())

    def write_script(self, text: str) -> None:
        script = self.command.with_name("denizen-python")
        script.write_text(text.replace("#!python\n", f"#!{self.python}\n"))
        script.chmod(0o755)

    def run(self, *words: str, **variables: str) -> str:
        environment = {"HOME": "/nowhere", "PATH": os.defpath, **variables}
        done = subprocess.run(
            [self.command, *words], capture_output=True, text=True, check=False, env=environment
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def said(self, code: str) -> list[str]:
        """What Python prints after `site` was put off as the script puts it off."""
        begin = f"import sys; sys.path.append({os.fspath(self.packages)!r})\n"
        begin += "from denizen.cli.main import put_off_site\nsys.path.pop(); put_off_site()\n"
        words = [os.fspath(self.python), "-I", "-S", "-c", begin + code]
        # Where coverage is measured the variable is set for all processes.
        environment = {name: text for name, text in os.environ.items() if name != SITE}
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
        return done.stdout.split()


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    found = Installation(tmp_path / "a home")
    (found.packages / "denizen").symlink_to(PACKAGE)
    return found


def test_a_start_reads_no_pth_files(installed: Installation) -> None:
    assert installed.run("--version") == VERSION
    assert not installed.mark.exists()


def test_the_variable_has_site_run_at_the_start(installed: Installation) -> None:
    assert installed.run("--version", **{SITE: "1"}) == VERSION
    assert installed.mark.exists()


def test_an_installation_whose_sources_are_elsewhere_reads_none_either(tmp_path: Path) -> None:
    found = Installation(tmp_path / "home")
    found.write_script(SCRIPT.read_text().replace('SOURCES = ""', f"SOURCES = {str(PACKAGE.parent)!r}"))
    assert found.run("--version") == VERSION
    assert not found.mark.exists()


def test_where_denizen_is_at_neither_place_site_finds_it(tmp_path: Path) -> None:
    found = Installation(tmp_path / "home")
    (found.elsewhere / "denizen").symlink_to(PACKAGE)
    assert found.run("--version") == VERSION
    assert found.mark.exists()


@pytest.mark.parametrize("name", ["beside", "somebody"])
def test_the_first_module_of_others_brings_all_that_site_would(installed: Installation, name: str) -> None:
    there = f"{name!r} in sys.modules, 'site' in sys.modules, {os.fspath(installed.elsewhere)!r} in sys.path"
    assert installed.said(f"import json, denizen.errors, {name}\nprint({there})") == ["True"] * 3
    assert installed.mark.exists()


def test_modules_of_python_and_of_denizen_do_not_bring_it(installed: Installation) -> None:
    assert installed.said("import json, sqlite3, denizen.errors; print('site' in sys.modules)") == ["False"]
    assert not installed.mark.exists()


def test_a_module_that_is_nowhere_is_an_import_error_each_time(installed: Installation) -> None:
    attempt = "try:\n import nobody\nexcept ModuleNotFoundError as error:\n print(error.name)\n"
    assert installed.said(attempt * 2) == ["nobody"] * 2
