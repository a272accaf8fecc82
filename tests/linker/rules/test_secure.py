"""The rules of secure execution, with programs that really are set-user-ID.

ld.so lists nothing for such a program (it exits when asked to), so the program tells itself what was
loaded. It belongs to root and is run by nobody.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.linker import LinkerStart, resolve
from denizen.value import replace
from tests.support import dynamic_linkers
from tests.support.linker_cases import Build, Case, Step, build, copy, lib, rpath, runpath
from tests.support.peers import require

pytestmark = [pytest.mark.slow, pytest.mark.peer]

NOBODY = 65534
SELF_PORTRAIT = """
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <sys/auxv.h>
static int show(struct dl_phdr_info *info, size_t size, void *data)
{ (void) size; (void) data; if (*info->dlpi_name) puts(info->dlpi_name); return 0; }
int main(void) { printf("AT_SECURE=%lu\\n", getauxval(AT_SECURE)); dl_iterate_phdr(show, 0); }
"""


def program(*needs: str, flags: tuple[str, ...] = ()) -> Build:
    return Build("prog", needs, None, ("-Wl,-e,_start", *flags), SELF_PORTRAIT, program=True, libc=True)


def setuid(path: str) -> Step:
    return lambda root: os.chmod(root / path, 0o4755)


X_IN_BOTH = (lib("a/libx.so"), lib("b/libx.so"))

CASES = (
    Case(
        "ld_library_path_is_ignored",
        (*X_IN_BOTH, program("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath"},
        variables={"LD_LIBRARY_PATH": "$ROOT/b"},
    ),
    Case(
        "origin_of_the_program_is_dropped",
        (lib("a/libx.so"), program("a/libx.so", flags=runpath("$ORIGIN/a"))),
        {"libx.so": None},
    ),
    Case(
        "origin_in_the_middle_of_an_element_is_dropped",
        (lib("a/libx.so"), program("a/libx.so", flags=runpath("/$ORIGIN/a"))),
        {"libx.so": None},
    ),
    Case(
        "origin_of_a_library_is_kept",
        (
            lib("a/sub/liby.so"),
            lib("a/libx.so", "a/sub/liby.so", flags=runpath("$ORIGIN/sub")),
            program("a/libx.so", flags=runpath("$ROOT/a")),
        ),
        {"libx.so": "runpath", "liby.so": "runpath"},
    ),
    Case(
        "a_preload_with_a_slash_is_ignored",
        (*X_IN_BOTH, lib("a/libp.so"), program("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath", "$ROOT/a/libp.so": "not listed"},
        variables={"LD_PRELOAD": "$ROOT/a/libp.so"},
    ),
    Case(
        "a_preload_that_is_not_setuid_is_ignored",
        (*X_IN_BOTH, lib("a/libp.so"), program("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath", "libp.so": "not listed"},
        variables={"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "a_preload_that_is_setuid_is_loaded",
        (*X_IN_BOTH, lib("a/libp.so"), program("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath", "libp.so": "rpath"},
        then=(setuid("a/libp.so"),),
        variables={"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "a_preload_is_not_taken_from_the_cache",
        (*X_IN_BOTH, program("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath", "libz.so.1": "not listed"},
        then=(copy("a/libx.so", "c/other.so"),),
        variables={"LD_PRELOAD": "libz.so.1"},
    ),
)


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory that nobody may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that is set-user-ID to another")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_secure(case: Case, root: Path) -> None:
    require("gcc")
    build(case, root)
    os.chmod(root / "prog", 0o4755)
    variables = {name: value.replace("$ROOT", str(root)) for name, value in case.variables.items()}
    environment = replace(
        dynamic_linkers.environment_of(dynamic_linkers.GLIBC_64),
        secure=True,
        start=LinkerStart.KERNEL,
        interpreter_path=None,
        library_path=os.fsencode(variables.get("LD_LIBRARY_PATH", "")),
        preload=os.fsencode(variables.get("LD_PRELOAD", "")),
    )
    closure = resolve(DiskView(), os.fsencode(root / "prog"), environment)
    rules = {
        os.fsdecode(entry.soname): entry.rule.name if entry.rule else None for entry in closure.libraries
    }
    expected = {name.replace("$ROOT", str(root)): rule for name, rule in case.expect.items()}
    assert {name: rules.get(name, "not listed") for name in expected} == expected
    done = subprocess.run(
        [root / "prog"], env=variables, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if closure.missing:
        assert f"{os.fsdecode(closure.missing[0].soname)}: cannot open shared object file" in done.stderr
        return
    secure, *paths = done.stdout.splitlines()
    if secure != "AT_SECURE=1":
        pytest.skip("set-user-ID bits have no effect in /var/tmp here")
    assert paths == [os.fsdecode(entry.path or b"") for entry in closure.libraries]
