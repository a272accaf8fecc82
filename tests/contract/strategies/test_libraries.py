"""What a program opens while it runs is found, and its decision follows its file."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.strategies.started import Started

pytestmark = pytest.mark.slow


def test_a_plugin_with_a_run_path_of_its_own_finds_what_it_needs(started: Started) -> None:
    """ld.so does not search the program's DT_RPATH for it, which is where the loader shows libraries."""
    # A language runtime, which comes along for whatever lies beside a program.
    runtime = started.home.add_library("gomp", "int threads(void) { return 4; }")
    started.home.set_up("index", "update", "--suite", "debian")
    text = started.home.work / "plugin.c"
    text.write_text("int threads(void); int plugged(void) { return threads(); }")
    plugin = started.home.work / "plugin.so"
    linked = ["-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,$ORIGIN", "-o", os.fspath(plugin)]
    subprocess.run(["gcc", *linked, text, runtime], check=True)
    host = started.compile(
        "opens",
        "#include <dlfcn.h>\nconst char *greeting(void);\nint main(int count, char **words) {\n"
        "    greeting();\n    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    assert started.run(host, os.fspath(plugin)).returncode == 4
    plugin.unlink()


def test_origin_in_what_it_opens_is_its_own_directory(started: Started) -> None:
    """ld.so asks /proc/self/exe by a system call of its own, which names the loader under `direct`."""
    text = started.home.work / "beside.c"
    text.write_text("int plugged(void) { return 6; }")
    place = started.home.work / f"beside-{started.strategy}"
    place.mkdir()
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", place / "beside.so", text], check=True)
    opening = started.compile(
        "opening",
        "#include <dlfcn.h>\nint greeting();\nint main(int count, char **words) {\n    greeting();\n"
        "    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    for origin in ("$ORIGIN", "${ORIGIN}"):
        assert started.run(opening, f"{origin}/{place.name}/beside.so").returncode == 6
    assert started.run(opening, f"$ORIGINAL/{place.name}/beside.so").returncode == 1


def test_a_name_put_together_while_it_runs_is_brought(started: Started, late: Path) -> None:
    opens = started.compile(
        "made-up",
        "#include <dlfcn.h>\n#include <stdio.h>\nconst char *greeting(void);\n"
        "int main(int count, char **words) {\n    char name[99];\n    greeting();\n"
        '    snprintf(name, sizeof name, "lib%s.so.%d", words[1], count - 1);\n'
        "    void *found = dlopen(name, RTLD_NOW);\n"
        '    return found ? ((int (*)(void))dlsym(found, "late"))() : 1;\n}\n',
    )
    assert late.exists()
    for _ in range(2):
        done = started.run(opens, "late")
        assert (done.returncode, done.stdout, done.stderr) == (6, b"", b"")
    assert started.run(opens, "nobody").returncode == 1


@pytest.mark.parametrize("dtags", ["none", "new", "old"])
def test_what_a_plugin_on_the_command_line_needs_is_brought(
    started: Started, late: Path, tmp_path: Path, dtags: str
) -> None:
    """Whatever its run path, and where no sign leads from the program to it."""
    (tmp_path / "plugin.c").write_text("int late(void); int plugged(void) { return late() + 1; }")
    path = (
        []
        if dtags == "none"
        else [f"-Wl,--{'enable' if dtags == 'new' else 'disable'}-new-dtags,-rpath,$ORIGIN"]
    )
    output = ["-o", os.fspath(tmp_path / "plugin.so"), os.fspath(tmp_path / "plugin.c"), os.fspath(late)]
    subprocess.run(["gcc", "-shared", "-fPIC", *path, *output], check=True)
    host = started.compile(
        f"plugs-{dtags}",
        "#include <dlfcn.h>\nconst char *greeting(void);\nint main(int count, char **words) {\n"
        "    greeting();\n    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    assert started.run(host, os.fspath(tmp_path / "plugin.so")).returncode == 7


@pytest.mark.parametrize(("call", "carried"), [("dlopen(0, RTLD_NOW)", True), ("getpid()", False)])
def test_only_a_program_that_can_open_libraries_carries_the_resident(
    started: Started, call: str, *, carried: bool
) -> None:
    made = started.compile(
        f"carries-{carried}",
        "#include <dlfcn.h>\n#include <stdio.h>\n#include <unistd.h>\nint greeting();\n"
        f"int main() {{\n    greeting();\n    {call};\n"
        '    FILE *maps = fopen("/proc/self/maps", "r");\n'
        "    for (int one; (one = getc(maps)) != EOF;) putchar(one);\n    return 0;\n}\n",
    )
    for _ in range(2):
        done = started.run(made)
        assert (done.returncode, b"/denizen-resident" in done.stdout) == (0, carried), done.stderr


def test_a_newer_version_in_its_place_is_resolved_again(started: Started) -> None:
    first = started.compile("replaced", "int greeting(); int main() { greeting(); return 3; }")
    assert started.run(first).returncode == 3
    newer = started.compile("newer", "int greeting(); int main() { greeting(); return 4; }")
    shutil.move(newer, first)
    assert started.run(first).returncode == 4


def test_a_moved_program_is_found_again(started: Started) -> None:
    here = started.compile("moved", "int greeting(); int main() { greeting(); return 5; }")
    assert started.run(here).returncode == 5
    there = here.with_name(f"{here.name}-elsewhere")
    here.rename(there)
    assert started.run(there).returncode == 5


def test_collecting_garbage_leaves_what_it_needs(started: Started, program: Path) -> None:
    started.home.denizen("gc")
    assert started.lines(program, "words") == [os.fspath(program), "words"]
