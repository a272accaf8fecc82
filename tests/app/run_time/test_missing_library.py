"""The answer to a running program that misses a library: what is brought, remembered, and refused."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.hosts import HOSTS, HostDirectories
from tests.support.offline_roots import TRIPLET, DenizenHome
from tests.support.opening_programs import ABSENT, OPENS, Opener, host_with, link_library

pytestmark = pytest.mark.slow


@pytest.fixture
def opening(tmp_path: Path) -> Opener:
    return Opener(DenizenHome(tmp_path))


def test_a_name_that_is_made_up_is_brought_with_what_it_needs(opening: Opener) -> None:
    assert opening.run("late") == ["opened"]
    assert sorted(opening.opened.links()) == [b"libdeep.so.1", b"liblate.so.1"]
    ((soname, packages),) = ((one.soname, one.packages) for one in opening.opened.asked())
    assert (soname, packages) == (b"liblate.so.1", (b"libdeep1=1.0-1", b"liblate1=1.0-1"))


def test_what_came_before_counts_once(opening: Opener) -> None:
    opening.run("late", "other")
    sizes = {one.soname: (one.packages, one.size) for one in opening.opened.asked()}
    (other,) = opening.home.debs.glob("libother1_*")
    assert sizes[b"libother.so.1"] == ((b"libother1=1.0-1",), other.stat().st_size)


def test_the_next_start_knows_it_without_index_or_network(opening: Opener) -> None:
    opening.run("late")
    shutil.rmtree(opening.home.root / "cache")
    assert opening.run("late", "late") == ["opened"] * 2


def test_what_came_lies_with_the_decisions_libraries_for_the_next_start(opening: Opener) -> None:
    opening.run("late")
    together = Path(os.fsdecode(opening.opened.directory)) / ".all"
    names = {one.name for one in together.iterdir()}
    assert {"liblate.so.1", "libdeep.so.1", "libgreet.so.1", "libc.so.6", ".table"} <= names
    assert all(one.exists() for one in together.iterdir())
    opening.run("other")
    assert (together / "libother.so.1").exists()


def test_a_collection_keeps_what_came(opening: Opener) -> None:
    opening.run("late")
    opening.home.denizen("gc")
    shutil.rmtree(opening.home.root / "cache")
    assert opening.run("late") == ["opened"]


def test_a_collection_forgets_it_with_the_program(opening: Opener) -> None:
    opening.run("late")
    place = Path(os.fsdecode(opening.opened.directory))
    opening.program.unlink()
    opening.home.denizen("gc", "--grace", "0d")
    assert not place.exists()
    assert not list((opening.home.root / "data" / "store").glob("*-liblate1-1.0-1"))


def test_a_name_that_nobody_has_is_left_to_the_program(opening: Opener) -> None:
    assert opening.run("nobody") == [f"libnobody.so.1: {ABSENT}"]
    assert opening.opened.denied() == {}


def test_what_a_rule_keeps_out_is_denied_with_the_reason(opening: Opener) -> None:
    assert opening.run("nss_made") == [f"libnss_made.so.1: {ABSENT}"]
    assert "nsswitch.conf" in opening.opened.denied()[b"libnss_made.so.1"]


def test_beyond_the_budget_nothing_is_brought_by_name(opening: Opener) -> None:
    place = opening.home.root / "config"
    place.mkdir(exist_ok=True)
    (place / "budget").write_text("0\n")
    assert opening.run("late") == [f"liblate.so.1: {ABSENT}"]
    assert "budget" in opening.opened.denied()[b"liblate.so.1"]


def test_the_budget_is_for_one_run(opening: Opener) -> None:
    """An interpreter is one program, whatever its scripts open."""
    place = opening.home.root / "config"
    place.mkdir(exist_ok=True)
    (place / "budget").write_text("1\n")
    for name in ("big", "large"):
        data = Item(f"./usr/share/{name}/data", content=os.urandom(700_000))
        opening.home.add_library(name, f"int {name}(void) {{ return 1; }}")
        library = Item(f"./{TRIPLET}/lib{name}.so.1", content=opening.home.library(name).read_bytes())
        opening.home.write(f"lib{name}1", [library, data])
    opening.home.set_up("index", "update")
    assert opening.run("big", "large") == ["opened", f"liblarge.so.1: {ABSENT}"]
    assert opening.run("big", "large") == ["opened"] * 2
    assert opening.opened.denied() == {}


def test_what_an_open_object_needs_is_brought_beyond_the_budget(opening: Opener) -> None:
    (opening.home.root / "config").mkdir(exist_ok=True)
    (opening.home.root / "config" / "budget").write_text("0\n")
    text = opening.home.work.parent / "plugin.c"
    text.write_text("int late(void); int plugged(void) { return late(); }")
    place = opening.program.parent.parent.parent.parent / "elsewhere"
    place.mkdir()
    link = f"-Wl,-rpath-link,{opening.home.library('deep').parent}"
    link_library(place / "plugin.so", text, opening.home.library("late"), link)
    assert opening.run(f"{place}/plugin.so") == ["opened"]


def test_an_update_of_the_index_lets_names_be_asked_for_again(opening: Opener) -> None:
    absent = [f"liblater.so.1: {ABSENT}"]
    assert opening.run("later") == absent
    opening.home.add_library("later", "int later(void) { return 6; }")
    assert opening.run("later") == absent
    opening.home.set_up("index", "update")
    assert opening.run("later") == ["opened"]


def test_a_lock_has_what_was_opened(opening: Opener, tmp_path: Path) -> None:
    opening.run("late")
    lock = str(tmp_path / "lock")
    opening.home.denizen("lock", str(opening.program), "-o", lock)
    done = opening.home.denizen("run", "--lock", lock, str(opening.program), "late")
    assert (done.stdout, done.stderr) == ("opened\n", "")


def test_why_tells_what_was_opened(opening: Opener) -> None:
    opening.run("late", "nss_made")
    shown = opening.home.denizen("why", str(opening.program), status=None).stdout
    assert "opened at run time: liblate.so.1 (libdeep1 1.0-1, liblate1 1.0-1)" in shown
    assert "missed at run time: libnss_made.so.1: a name service" in shown


def test_decided_again_it_has_it_from_the_start(opening: Opener) -> None:
    opening.run("late")
    before = opening.opened.directory
    for file in opening.home.decisions.iterdir():
        if file.is_file():
            file.unlink()
    assert opening.run("late") == ["opened"]
    assert opening.opened.directory != before
    assert opening.opened.links() == {}


@pytest.mark.parametrize("name", ["bare root", "no user namespaces", "container", "noexec /tmp"])
def test_it_is_brought_on_hosts_that_have_nothing(opening: Opener, tmp_path: Path, name: str) -> None:
    host = host_with(name, opening, tmp_path)
    program = f"{host.directories.programs}/here/work/opens"
    for _ in range(2):
        done = host.run(host.denizen("run", program, "late", "nobody"))
        assert done.out.splitlines() == ["opened", f"libnobody.so.1: {ABSENT}"]


def test_where_nothing_can_be_written_the_error_is_the_programs_own(opening: Opener, tmp_path: Path) -> None:
    host = host_with("bare root", opening, tmp_path)
    program = f"{host.directories.programs}/here/work/opens"
    host.run(host.denizen("run", program))
    directories = HostDirectories(tmp_path / "other-root", tmp_path / "programs", tmp_path / "other-work")
    done = HOSTS["read-only store"](directories).run(host.denizen("run", program, "late"))
    assert (done.out, done.err) == (f"liblate.so.1: {ABSENT}\n", "")


def test_a_directory_or_name_of_somebody_else_is_not_answered(opening: Opener, tmp_path: Path) -> None:
    opening.run()
    ours = os.fsdecode(opening.opened.directory)
    for place, name in ((str(tmp_path), "liblate.so.1"), (f"{ours}/../x", "liblate.so.1"), (ours, "../x.so")):
        opening.home.denizen("decide", "--opened", place, "--missed", name, str(opening.program))
    assert opening.opened.links() == {}
    assert not (tmp_path / "liblate.so.1").is_symlink()


@pytest.mark.parametrize(
    "words",
    [
        ("--needed", "../liblate.so.1"),
        ("--needed", ".liblate.so.1"),
        ("--needed", "late/liblate.so.1"),
        ("--at", "/usr/lib/drivers/../../../etc/liblate.so.1"),
        ("--at", f"/{TRIPLET}/./liblate.so.1"),
        ("--at", f"/usr/lib/{'x' * 200}.so"),
        ("--place", "..", "/usr/share/dict"),
        ("--place", "opens", "/etc"),
        ("--place", "opens", "/usr/share/dict/../../../etc"),
        ("--command", "--try", "/usr/bin/.."),
        ("--command", "--try", "/usr/bin/.absent"),
        ("--command", "--try", f"/usr/bin/{'x' * 200}"),
    ],
)
def test_what_leads_elsewhere_is_neither_brought_nor_recorded(
    opening: Opener, words: tuple[str, ...]
) -> None:
    """A name from the program is a name below the directory of its decision, or none."""
    opening.run()
    before = sorted(opening.home.root.rglob("*"))
    opened = ("--opened", os.fsdecode(opening.opened.directory))
    program = () if words[0] in ("--place", "--command") else (str(opening.program),)
    opening.home.denizen("decide", *opened, *words, *program, status=None)
    after = sorted(opening.home.root.rglob("*"))
    assert [path for path in after if path not in before and "locks" not in path.parts] == []


def test_a_package_that_is_gone_leaves_the_error_and_nothing_else(opening: Opener) -> None:
    opening.run()
    for package in opening.home.debs.glob("liblate1_*"):
        package.unlink()
    done = opening.home.denizen("run", str(opening.program), "late")
    assert (done.stdout, done.stderr) == (f"liblate.so.1: {ABSENT}\n", "")
    assert opening.opened.denied() == {}


def test_a_name_without_a_version_leads_where_the_link_for_developers_does(opening: Opener) -> None:
    link = Item("./usr/lib/x86_64-linux-gnu/liblate.so", tarfile.SYMTYPE, target="liblate.so.1")
    opening.home.write("liblate-dev", [link], depends="liblate1 (= 1.0-1)")
    opening.home.set_up("index", "update")
    opening.program = opening.home.compile("by-link", OPENS.replace('"lib%s.so.1"', '"lib%s.so"'), "-ldl")
    assert opening.run("late", "late") == ["opened"] * 2
    links = opening.opened.links()
    assert links[b"liblate.so"] == links[b"liblate.so.1"]
    assert [one.soname for one in opening.opened.asked()] == [b"liblate.so.1"]


# Its library has a file of data at a fixed path, which another package has.
_READS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(void) {
    greeting();
    void *found = dlopen("libfixed.so.1", RTLD_NOW);
    puts(found ? ((const char *(*)(void))dlsym(found, "text"))() : dlerror());
    return 0;
}
"""
_FIXED = """
#include <stdio.h>
const char *text(void) {
    static char text[99];
    FILE *file = fopen("/usr/share/fixed/text", "r");
    return file && fgets(text, 99, file) ? text : "nothing is there";
}
"""


def _with_fixed_files(home: DenizenHome) -> None:
    home.add_library("fixed", _FIXED)
    library = Item(f"./{TRIPLET}/libfixed.so.1", content=home.library("fixed").read_bytes())
    home.write("libfixed1", [library], depends="fixed-data")
    home.write("fixed-data", [Item("./usr/share/fixed/text", content=b"found")], architecture="all")
    home.set_up("index", "update")


@pytest.mark.parametrize("name", ["bare root", "container"])
def test_files_at_fixed_paths_come_with_a_library_that_is_opened(
    opening: Opener, tmp_path: Path, name: str
) -> None:
    """At once, while the program runs; and at the next start, when nothing comes any more."""
    _with_fixed_files(opening.home)
    opening.home.compile("reads", _READS, "-ldl")
    host = host_with(name, opening, tmp_path)
    for _ in range(2):
        done = host.run(host.denizen("run", f"{host.directories.programs}/here/work/reads"))
        assert done.out == "found\n", done.err
    shutil.rmtree(tmp_path / "other-root" / "cache")
    assert host.run(host.denizen("run", f"{host.directories.programs}/here/work/reads")).out == "found\n"


@pytest.mark.parametrize("name", ["bare root", "container"])
def test_a_driver_is_opened_by_the_path_at_which_its_package_has_it(
    opening: Opener, tmp_path: Path, name: str
) -> None:
    """It needs a library of another package; the second start has it from the decision, without an index.

    A container refuses namespaces: there a tree has the driver, and other files that are shown.
    """
    zone = Item("./usr/share/zoneinfo/UTC", content=b"x")
    opening.home.write("tzdata", [zone], architecture="all")
    driver = Item("./usr/lib/drivers/libmade.so", content=opening.home.library("late").read_bytes())
    opening.home.write("made-driver", [driver])
    opening.home.set_up("index", "update")
    opening.home.compile("opens", 'const char *zone = "/usr/share/zoneinfo";' + OPENS, "-ldl")
    host = host_with(name, opening, tmp_path)
    program = f"{host.directories.programs}/here/work/opens"
    for _ in range(2):
        done = host.run(
            host.denizen("run", program, "/usr/lib/drivers/libmade.so", "/usr/lib/drivers/libnone.so")
        )
        first, second = done.out.splitlines()
        assert first == "opened", done.out
        assert second.endswith(ABSENT)
        shutil.rmtree(tmp_path / "other-root" / "cache", ignore_errors=True)


_LISTS = """
#include <dlfcn.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    greeting();
    if (count > 2) dlopen(words[2], RTLD_NOW);
    if (!getpwuid(getuid())) fputs("nobody knows me\\n", stderr);
    execl("/sbin/ldconfig", "ldconfig", "-p", (char *)0);
    return 1;
}
"""


@pytest.mark.parametrize("name", ["bare root", "container"])
def test_ldconfig_lists_what_packages_have_on_a_root_that_has_none(
    opening: Opener, tmp_path: Path, name: str
) -> None:
    opening.home.compile("lists", _LISTS, "-ldl")
    host = host_with(name, opening, tmp_path)
    done = host.run(host.denizen("run", f"{host.directories.programs}/here/work/lists"))
    assert "\tlibgreet.so.1 (libc6,x86-64) => /" in done.out
    assert "\tliblate.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/liblate.so.1\n" in done.out
    assert "libnss_made" not in done.out
    assert "nobody knows me" not in done.err


def test_ldconfig_lists_a_new_index_of_the_same_suite(opening: Opener) -> None:
    """Nothing is asked for by a list: no request of a running program comes first."""
    opening.program = opening.home.compile("lists", _LISTS, "-ldl")
    opening.run()
    opening.home.write(
        "libnew1", [Item(f"./{TRIPLET}/libnew.so.1", content=opening.home.library("late").read_bytes())]
    )
    opening.home.denizen("index", "update")
    shown = opening.run()
    for name in ("liblate", "libnew"):
        assert f"\t{name}.so.1 (libc6,x86-64) => /{TRIPLET}/{name}.so.1" in shown


def test_the_hosts_own_ldconfig_answers_before_denizens(opening: Opener) -> None:
    opening.program = opening.home.compile("lists", _LISTS, "-ldl")
    shown = "\n".join(opening.run())
    assert shown.index("libc.so.6 ") < shown.index("Cache generated by") < shown.index("\tliblate.so.1 ")


def test_a_driver_comes_where_denizen_alone_shows_a_list_of_drivers(opening: Opener, tmp_path: Path) -> None:
    """The host has none; the second start has the list's directory bound from the store."""
    for name in ("EGL", "EGL_made"):
        opening.home.add_library(name, f"int {name}(void) {{ return 1; }}")
    library = Item(f"./{TRIPLET}/libEGL.so.1", content=opening.home.library("EGL").read_bytes())
    listed = Item("./etc/glvnd/egl_vendor.d/made.json", content=b"{}")
    opening.home.write("libEGL1", [library, listed])
    opening.home.set_up("index", "update")
    host = host_with("bare root", opening, tmp_path)
    for name in ("EGL", "EGL_made"):
        done = host.run(host.denizen("run", f"{host.directories.programs}/here/work/opens", name))
        assert done.out == "opened\n", done.err


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


def test_a_program_that_keeps_the_hosts_libraries_gets_what_it_opens(opening: Opener) -> None:
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
    assert opening.run("liblate.so.1", "libnobody.so.1") == ["opened", f"libnobody.so.1: {ABSENT}"]
