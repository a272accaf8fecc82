"""The answer to a running program that misses a library: what is brought, remembered, and refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.launch.decisions.decision import Decision
from denizen.launch.dlopen_links import Opened
from denizen.launch.fast_path import read_decision
from tests.support.debs import Item
from tests.support.hosts import HOSTS, Host, HostDirectories
from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow

_OPENS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(int count, char **words) {
    char name[999];
    greeting();
    for (int i = 1; i < count; i++) {
        snprintf(name, sizeof name, words[i][0] == '/' ? "%s" : "lib%s.so.1", words[i]);
        void *found = dlopen(name, RTLD_NOW);
        puts(found ? "opened" : dlerror());
    }
    return 0;
}
"""
_ABSENT = "cannot open shared object file: No such file or directory"


def _link(output: Path, *words: str | Path) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", output, *words], check=True)


class Opening:
    """A home with libraries that nothing links, and a program that opens them by names it makes up."""

    def __init__(self, home: DenizenHome) -> None:
        self.home = home
        home.add_library("deep", "int deep(void) { return 3; }")
        text = home.work / "late.c"
        text.write_text("int deep(void); int late(void) { return deep(); }")
        late = home.library("late")
        _link(late, text, home.library("deep"), f"-Wl,-soname,{late.name}")
        home.pack_library("late")
        home.add_library("other", "int other(void) { return 4; }")
        home.add_library("nss_made", "int made(void) { return 5; }")
        home.denizen("index", "update")
        self.program = home.compile("opens", _OPENS, "-ldl")

    def run(self, *names: str, status: int = 0) -> list[str]:
        done = self.home.denizen("run", str(self.program), *names, status=status)
        return done.stdout.splitlines()

    @property
    def decision(self) -> Decision:
        (file,) = (one for one in self.home.decisions.iterdir() if one.name.count("-") == 4)
        decision = read_decision(bytes(file))
        assert decision is not None
        return decision

    @property
    def opened(self) -> Opened:
        return Opened(self.decision.opened)


def _host(name: str, opening: Opening, directory: Path) -> Host:
    """A host that has the program, the packages, and a denizen that knows nothing yet."""
    directories = HostDirectories(directory / "other-root", directory / "programs", directory / "other-work")
    for room in (directories.root, directories.work):
        room.mkdir()
    shutil.copytree(opening.home.debs, directories.programs / "debs")
    host = HOSTS[name](directories)
    source = ["source", "add", "debian", f"{host.directories.programs}/debs", "--directory"]
    added = host.run([*host.python, *source, "--root", str(host.directories.root)])
    assert added.status == 0, added.err
    return host


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening(DenizenHome(tmp_path))


def test_a_name_that_is_made_up_is_brought_with_what_it_needs(opening: Opening) -> None:
    assert opening.run("late") == ["opened"]
    assert sorted(opening.opened.links()) == [b"libdeep.so.1", b"liblate.so.1"]
    ((soname, packages),) = ((one.soname, one.packages) for one in opening.opened.asked())
    assert (soname, packages) == (b"liblate.so.1", (b"libdeep1=1.0-1", b"liblate1=1.0-1"))


def test_what_came_before_counts_once(opening: Opening) -> None:
    opening.run("late", "other")
    sizes = {one.soname: (one.packages, one.size) for one in opening.opened.asked()}
    (other,) = opening.home.debs.glob("libother1_*")
    assert sizes[b"libother.so.1"] == ((b"libother1=1.0-1",), other.stat().st_size)


def test_the_next_start_knows_it_without_index_or_network(opening: Opening) -> None:
    opening.run("late")
    shutil.rmtree(opening.home.root / "cache")
    assert opening.run("late", "late") == ["opened"] * 2


def test_what_came_lies_with_the_decisions_libraries_for_the_next_start(opening: Opening) -> None:
    opening.run("late")
    together = Path(os.fsdecode(opening.opened.directory)) / ".all"
    names = {one.name for one in together.iterdir()}
    assert {"liblate.so.1", "libdeep.so.1", "libgreet.so.1", "libc.so.6", ".of"} <= names
    assert all(one.exists() for one in together.iterdir())
    opening.run("other")
    assert (together / "libother.so.1").exists()


def test_a_collection_keeps_what_came(opening: Opening) -> None:
    opening.run("late")
    opening.home.denizen("gc")
    shutil.rmtree(opening.home.root / "cache")
    assert opening.run("late") == ["opened"]


def test_a_collection_forgets_it_with_the_program(opening: Opening) -> None:
    opening.run("late")
    place = Path(os.fsdecode(opening.opened.directory))
    opening.program.unlink()
    opening.home.denizen("gc", "--grace", "0d")
    assert not place.exists()
    assert not list((opening.home.root / "data" / "store").glob("*-liblate1-1.0-1"))


def test_a_name_that_nobody_has_is_left_to_the_program(opening: Opening) -> None:
    assert opening.run("nobody") == [f"libnobody.so.1: {_ABSENT}"]
    assert opening.opened.denied() == {}


def test_what_a_rule_keeps_out_is_denied_with_the_reason(opening: Opening) -> None:
    assert opening.run("nss_made") == [f"libnss_made.so.1: {_ABSENT}"]
    assert "nsswitch.conf" in opening.opened.denied()[b"libnss_made.so.1"]


def test_beyond_the_budget_nothing_is_brought_by_name(opening: Opening) -> None:
    place = opening.home.root / "config"
    place.mkdir(exist_ok=True)
    (place / "budget").write_text("0\n")
    assert opening.run("late") == [f"liblate.so.1: {_ABSENT}"]
    assert "budget" in opening.opened.denied()[b"liblate.so.1"]


# It ends with the number of names that it missed.
_FAILS = """
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    int missed = 0, status;
    greeting();
    for (int i = 1; i < count; i++) missed += !dlopen(words[i], RTLD_NOW);
    if (!fork()) return 9;
    wait(&status);
    return missed;
}
"""


@pytest.fixture
def failing(opening: Opening) -> Opening:
    opening.program = opening.home.compile("fails", _FAILS, "-ldl")
    return opening


def _ends(opening: Opening, *words: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    done = opening.home.denizen("run", *options, str(opening.program), *words, status=None)
    return done.returncode, done.stderr


def test_a_failure_after_a_miss_beyond_the_budget_tells_the_command_that_brings_it(failing: Opening) -> None:
    place = failing.home.root / "config"
    place.mkdir(exist_ok=True)
    (place / "budget").write_text("0\n")
    command = f"run --with liblate.so.1 {failing.program}"
    line = (
        "denizen: liblate.so.1 was not brought: the program's budget is 0 MB, of which 0 are spent; "
        f"denizen {command} brings it\n"
    )
    for _ in range(2):
        assert _ends(failing, "liblate.so.1", "liblate.so.1", "libnobody.so.1") == (3, line)
    assert _ends(failing, "liblate.so.1", options=("--with", "liblate.so.1")) == (0, "")


def test_a_failure_after_a_miss_by_rule_is_told(failing: Opening) -> None:
    status, told = _ends(failing, "libnss_made.so.1")
    assert status == 1
    assert told.startswith("denizen: libnss_made.so.1 was not brought: ")
    assert told.endswith(f"; denizen run --with libnss_made.so.1 {failing.program} brings it\n")
    assert _ends(failing, "libnss_made.so.1", options=("--with", "libnss_made.so.1")) == (0, "")


_REFUSES = """
import sys
from denizen.app import missing_library
from denizen.cli.main import main
from denizen.sources.base import Offline
def refuse(*_, **__):
    raise Offline("liblate1")
missing_library.install = refuse
main()
"""


def test_what_offline_keeps_out_is_told_as_long_as_it_is_not_here(failing: Opening) -> None:
    failing.run()
    words = ("--opened", os.fsdecode(failing.opened.directory), "--missed", "liblate.so.1")
    command = ["decide", "--root", str(failing.home.root), *words, "--", str(failing.program)]
    subprocess.run([sys.executable, "-c", _REFUSES, *command], check=True)
    kept = Path(os.fsdecode(failing.opened.directory)) / ".kept-out" / "liblate.so.1"
    line = "denizen: liblate.so.1 was not brought: --offline forbids to fetch it; "
    assert kept.read_text() == f"{line}denizen run {failing.program} brings it\n"
    assert failing.opened.denied() == {}
    assert _ends(failing, "liblate.so.1") == (0, "")
    assert not kept.exists()


def test_what_is_kept_out_of_a_program_that_succeeds_is_not_told(opening: Opening) -> None:
    assert opening.run("nss_made") == [f"libnss_made.so.1: {_ABSENT}"]
    assert opening.home.denizen("run", str(opening.program), "nss_made").stderr == ""


def test_what_an_open_object_needs_is_brought_beyond_the_budget(opening: Opening) -> None:
    (opening.home.root / "config").mkdir(exist_ok=True)
    (opening.home.root / "config" / "budget").write_text("0\n")
    text = opening.home.work.parent / "plugin.c"
    text.write_text("int late(void); int plugged(void) { return late(); }")
    place = opening.program.parent.parent.parent.parent / "elsewhere"
    place.mkdir()
    link = f"-Wl,-rpath-link,{opening.home.library('deep').parent}"
    _link(place / "plugin.so", text, opening.home.library("late"), link)
    assert opening.run(f"{place}/plugin.so") == ["opened"]


def test_an_update_of_the_index_lets_names_be_asked_for_again(opening: Opening) -> None:
    (opening.home.root / "config").mkdir(exist_ok=True)
    budget = opening.home.root / "config" / "budget"
    budget.write_text("0\n")
    opening.run("late")
    budget.unlink()
    assert opening.run("late") == [f"liblate.so.1: {_ABSENT}"]
    opening.home.write("unrelated", [Item("./usr/share/unrelated", content=b"x")])
    opening.home.denizen("index", "update")
    assert opening.run("late") == ["opened"]


def test_with_a_lock_nothing_new_comes_and_a_failure_tells_that(failing: Opening, tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    failing.home.denizen("lock", str(failing.program), "-o", lock)
    line = "denizen: liblate.so.1 was not brought: the lock does not have it; "
    line += f"denizen run {failing.program} brings it\n"
    for _ in range(2):
        assert _ends(failing, "liblate.so.1", options=("--lock", lock)) == (1, line)


def test_a_lock_has_what_was_opened(opening: Opening, tmp_path: Path) -> None:
    opening.run("late")
    lock = str(tmp_path / "lock")
    opening.home.denizen("lock", str(opening.program), "-o", lock)
    done = opening.home.denizen("run", "--lock", lock, str(opening.program), "late")
    assert (done.stdout, done.stderr) == ("opened\n", "")


def test_why_tells_what_was_opened(opening: Opening) -> None:
    opening.run("late", "nss_made")
    shown = opening.home.denizen("why", str(opening.program), status=None).stdout
    assert "opened at run time: liblate.so.1 (libdeep1 1.0-1, liblate1 1.0-1)" in shown
    assert "missed at run time: libnss_made.so.1: a name service" in shown


def test_decided_again_it_has_it_from_the_start(opening: Opening) -> None:
    opening.run("late")
    before = opening.opened.directory
    for file in opening.home.decisions.iterdir():
        if file.is_file():
            file.unlink()
    assert opening.run("late") == ["opened"]
    assert opening.opened.directory != before
    assert opening.opened.links() == {}


@pytest.mark.parametrize("name", ["bare root", "no user namespaces", "container", "noexec /tmp"])
def test_it_is_brought_on_hosts_that_have_nothing(opening: Opening, tmp_path: Path, name: str) -> None:
    host = _host(name, opening, tmp_path)
    program = f"{host.directories.programs}/here/work/opens"
    for _ in range(2):
        done = host.run(host.denizen("run", program, "late", "nobody"))
        assert done.out.splitlines() == ["opened", f"libnobody.so.1: {_ABSENT}"]


def test_where_nothing_can_be_written_the_error_is_the_programs_own(opening: Opening, tmp_path: Path) -> None:
    host = _host("bare root", opening, tmp_path)
    program = f"{host.directories.programs}/here/work/opens"
    host.run(host.denizen("run", program))
    directories = HostDirectories(tmp_path / "other-root", tmp_path / "programs", tmp_path / "other-work")
    done = HOSTS["read-only store"](directories).run(host.denizen("run", program, "late"))
    assert (done.out, done.err) == (f"liblate.so.1: {_ABSENT}\n", "")


def test_a_directory_or_name_of_somebody_else_is_not_answered(opening: Opening, tmp_path: Path) -> None:
    opening.run()
    ours = os.fsdecode(opening.opened.directory)
    for place, name in ((str(tmp_path), "liblate.so.1"), (f"{ours}/../x", "liblate.so.1"), (ours, "../x.so")):
        opening.home.denizen("decide", "--opened", place, "--missed", name, str(opening.program))
    assert opening.opened.links() == {}
    assert not (tmp_path / "liblate.so.1").is_symlink()


def test_a_package_that_is_gone_leaves_the_error_and_nothing_else(opening: Opening) -> None:
    opening.run()
    for package in opening.home.debs.glob("liblate1_*"):
        package.unlink()
    done = opening.home.denizen("run", str(opening.program), "late")
    assert (done.stdout, done.stderr) == (f"liblate.so.1: {_ABSENT}\n", "")
    assert opening.opened.denied() == {}


# A host satisfies its start, and not what its note calls required.
_NOTED = """
#include <dlfcn.h>
#include <stdio.h>
__attribute__((used, section(".note.dlopen"))) _Alignas(4) static const struct {
    int owner, size, type; char name[4], text[LENGTH];
} note = {4, LENGTH, 0x407c0c0a, "FDO", TEXT};
int main(int count, char **words) {
    for (int i = 1; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""


def test_a_program_that_keeps_the_hosts_libraries_gets_what_it_opens(opening: Opening) -> None:
    """The host's own are the host's to find: nothing is asked for them."""
    text = '[{"soname":["libdeep.so.1"],"priority":"required"}]'.ljust(64)
    quoted = text.replace('"', '\\"')
    opening.program = opening.home.compile(
        "noted",
        _NOTED.replace("LENGTH", str(len(text) + 1)).replace("TEXT", f'"{quoted}"'),
        "-Wl,--as-needed",
    )
    assert opening.run("libdeep.so.1", "liblate.so.1", "libz.so.1") == ["opened"] * 3
    assert opening.opened.extends_host
    assert [one.soname for one in opening.opened.asked()] == [b"liblate.so.1"]
    assert opening.run("liblate.so.1", "libnobody.so.1") == ["opened", f"libnobody.so.1: {_ABSENT}"]


# It needs nothing but the C library.
_HOSTS = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    for (int i = 1; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""


@pytest.fixture
def satisfied(opening: Opening) -> Opening:
    """Let the program be one of which this host has all that it starts with."""
    opening.program = opening.home.compile("satisfied", _HOSTS, "-Wl,--as-needed")
    return opening


def test_a_program_that_the_host_satisfies_gets_what_it_opens(satisfied: Opening) -> None:
    assert satisfied.run("liblate.so.1", "libz.so.1", "libnobody.so.1") == [
        "opened",
        "opened",
        f"libnobody.so.1: {_ABSENT}",
    ]
    assert [one.soname for one in satisfied.opened.asked()] == [b"liblate.so.1"]
    assert satisfied.run("liblate.so.1") == ["opened"]
    shown = satisfied.home.denizen("why", str(satisfied.program), status=None).stdout
    assert "opened at run time: liblate.so.1 (libdeep1 1.0-1, liblate1 1.0-1)" in shown
    satisfied.home.denizen("gc")
    shutil.rmtree(satisfied.home.root / "cache")
    assert satisfied.run("liblate.so.1") == ["opened"]


def test_without_an_index_a_program_that_the_host_satisfies_is_executed_as_it_is(satisfied: Opening) -> None:
    place = satisfied.home.root / "cache" / "index"
    kept = place.rename(place.with_name("kept"))
    assert satisfied.run("liblate.so.1") == [f"liblate.so.1: {_ABSENT}"]
    assert (satisfied.decision.host, satisfied.decision.command) == (True, ())
    kept.rename(place)
    satisfied.home.denizen("index", "update")
    assert satisfied.run("liblate.so.1") == ["opened"]


def test_no_part_of_a_c_library_is_brought_beside_the_hosts(satisfied: Opening) -> None:
    satisfied.home.write("parts", [Item("./usr/lib/x86_64-linux-gnu/libnsl.so.1", content=b"x")])
    satisfied.home.denizen("index", "update")
    assert satisfied.run("libnsl.so.1")[0] in ("opened", f"libnsl.so.1: {_ABSENT}")
    assert satisfied.opened.asked() == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="sets capabilities")
def test_a_program_that_gets_rights_from_its_file_is_executed_as_it_is(satisfied: Opening) -> None:
    satisfied.program.chmod(0o4755)
    satisfied.run()
    assert (satisfied.decision.host, satisfied.decision.command) == (True, ())
