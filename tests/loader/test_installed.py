"""The loader as a command of a profile: bin/NAME of an object, beside a link to its program."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.disk import make_directories
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.loader.loader_settings import LoaderSettings
from denizen.value import replace
from tests.support.compiled_loaders import LoaderSysroot, run, write_trusted

DIGEST = "0123456789abcdfghijklmnpqrsvwxyz"
_ECHO = """
#include <stdio.h>
int main(int argc, char **argv) { for (int i = 0; i < argc; i++) printf("%s\\n", argv[i]); return argc; }
"""
_NATIVE = ("-Wl,--dynamic-linker=/nowhere/ld.so",)


class InstalledCommand:
    """A store with a program and an object of commands, and the decision about the command."""

    def __init__(self, sysroot: LoaderSysroot, name: str = "tool") -> None:
        self.name, self._sysroot = name, sysroot
        settings = LoaderSettings(directories=(os.fsencode(sysroot.decisions),), installed=True)
        sysroot.configure(settings)
        self.object = sysroot.root / "store" / f"{DIGEST}-tool-commands"
        self.program = sysroot.compile(f"store/{'z' * 32}-package/usr/bin/{name}", _ECHO, *_NATIVE)
        self.command = self.object / "bin" / name
        self.link = self.object / "programs" / name
        for place in (self.command, self.link):
            place.parent.mkdir(parents=True)
        shutil.copy(sysroot.loader, self.command)
        self.link.symlink_to(f"../../{'z' * 32}-package/usr/bin/{name}")
        self.named = sysroot.decisions / "named" / f"{DIGEST}-{name}"
        make_directories(bytes(self.named.parent))
        self.decide()

    def decide(self, **changes: object) -> None:
        decision = self._sysroot.decision(self.program, self._sysroot.system("libc.so.6"))
        write_trusted(self.named, encode(replace(decision, **changes)))


@pytest.fixture
def tool(sysroot: LoaderSysroot) -> InstalledCommand:
    return InstalledCommand(sysroot)


def test_it_starts_its_program_by_whatever_name_it_is_called(short_path: Path, loader: Path) -> None:
    """In a place without a blank, which ends the interpreter's name in a script."""
    tool = InstalledCommand(LoaderSysroot(short_path, loader))
    done = run(tool.command, "a", "b")
    assert (done.stdout.splitlines(), done.returncode) == ([str(tool.command), "a", "b"], 3)
    link = short_path / "other"
    link.symlink_to(tool.command)
    assert run(link).returncode == 1
    script = short_path / "script"
    script.write_text(f"#!{tool.command} -x\n")
    script.chmod(0o755)
    assert run(script, "y").stdout.splitlines() == [str(tool.command), "-x", str(script), "y"]


def test_another_link_to_the_programs_file_changes_nothing(tool: InstalledCommand) -> None:
    os.link(tool.program, tool.program.with_name("second"))  # another ctime, another identity
    assert run(tool.command).returncode == 1


def test_a_command_of_the_decision_is_executed_with_the_programs_path(tool: InstalledCommand) -> None:
    script = tool.object / "enter"
    script.write_text('#!/bin/sh\necho "$@"\n')
    script.chmod(0o755)
    tool.decide(command=(os.fsencode(script), b"--"))
    said = run(tool.command, "x").stdout
    assert said == f"as {tool.program} -- {tool.command} x\n"


def test_a_script_gets_its_own_path_where_its_interpreter_is_mapped(tool: InstalledCommand) -> None:
    script = tool.object / "loader"
    script.write_text('#!/bin/sh\necho "$@"\n')
    script.chmod(0o755)
    tool.decide(command=(os.fsencode(script), b"--as", b"/bin/sh", b"/bin/sh"))
    assert run(tool.command, "x").stdout == f"--as /bin/sh /bin/sh {tool.program} x\n"


def test_a_program_that_the_host_satisfies_is_executed(tool: InstalledCommand) -> None:
    tool.program.unlink()
    shutil.copy("/bin/echo", tool.program)
    tool.decide(host=True)
    assert run(tool.command, "hello").stdout == "hello\n"


@pytest.mark.parametrize(
    "wrong", ["absent", "empty", "cut", "other program", "writable", "no program", "no link"]
)
def test_what_is_not_its_decision_is_not_followed(tool: InstalledCommand, wrong: str) -> None:
    content = tool.named.read_bytes()
    if wrong == "absent":
        tool.named.unlink()
    elif wrong == "empty":
        tool.named.write_bytes(b"")
    elif wrong == "cut":
        tool.named.write_bytes(content[:-8])
    elif wrong == "other program":
        tool.decide(headers=bytes(16))
    elif wrong == "writable":
        tool.named.chmod(0o666)
    elif wrong == "no program":
        tool.program.unlink()
    else:
        tool.link.unlink()
    done = run(tool.command)
    assert done.returncode == 127
    assert "it was not decided how to start it" in done.stderr


@pytest.mark.parametrize(
    ("status", "installed_again"), [(125, False), (126, False), (127, True), (0, True), (-9, True)]
)
def test_a_program_that_denizen_cannot_start_is_not_to_be_installed_again(
    sysroot: LoaderSysroot, tool: InstalledCommand, *, status: int, installed_again: bool
) -> None:
    """The helper has said why; only where it could not be asked, or decided nothing, is there more to do."""
    end = f"exit {status}" if status >= 0 else "kill -KILL $$"
    command = (b"/bin/sh", b"-c", f"echo why >&2; {end}".encode(), b"--installed")
    directories = (os.fsencode(sysroot.decisions),)
    sysroot.configure(LoaderSettings(directories=directories, command=command, installed=True))
    shutil.copy(sysroot.loader, tool.command)
    tool.named.unlink()
    done = run(tool.command)
    assert done.returncode == (127 if installed_again else 126)
    assert done.stderr.startswith("why\n")
    assert ("install it again" in done.stderr) == installed_again


@pytest.mark.parametrize("place", ["tool", "bin/tool", "x/bin/tool"])
def test_a_loader_that_is_no_command_of_an_object_says_so(
    sysroot: LoaderSysroot, tool: InstalledCommand, place: str
) -> None:
    copy = sysroot.root / "elsewhere" / place
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tool.command, copy)
    assert run(copy).returncode == 127


def test_the_program_may_be_anywhere(tool: InstalledCommand, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(tool.program, elsewhere)
    tool.link.unlink()
    tool.link.symlink_to(elsewhere)
    tool.program = elsewhere
    tool.decide()
    assert run(tool.command).returncode == 1
    tool.link.unlink()
    tool.link.symlink_to("../elsewhere")  # neither absolute nor of the store
    assert run(tool.command).returncode == 127


def test_the_longest_names_are_found_and_too_long_ones_are_not_cut(sysroot: LoaderSysroot) -> None:
    tool = InstalledCommand(sysroot, "n" * 222)  # the decision's name then has 255 bytes
    assert run(tool.command).returncode == 1
    longer = tool.command.with_name("m" * 250)
    shutil.copy(tool.command, longer)
    (tool.object / "programs" / longer.name).symlink_to(os.readlink(tool.link))
    assert run(longer).returncode == 127


def test_nothing_of_it_is_left_open(tool: InstalledCommand, sysroot: LoaderSysroot) -> None:
    shutil.copy("/bin/ls", tool.program)
    tool.decide(host=True)
    done = subprocess.run([tool.command, "/proc/self/fd"], capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) <= 4
    del sysroot
