"""What comes for a program that looks at a place which packages would fill: it misses no library."""

import shutil
from pathlib import Path

import pytest

from denizen.resolve.rule_packs import load_rules
from tests.support.debs import Item
from tests.support.hosts import Host
from tests.support.offline_roots import DenizenHome
from tests.support.opening_programs import Opener, host_with

pytestmark = pytest.mark.slow

# It could execute a command and open a library, as what looks for a Java does.
_LOOKS = """
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
const char *greeting(void);
const char *zone = "/usr/share/zoneinfo";
static void list(const char *path) {
    DIR *directory = opendir(path);
    for (struct dirent *one; directory && (one = readdir(directory));)
        if (*one->d_name != '.')
            puts(one->d_name);
}
int main(int count, char **words) {
    struct stat facts;
    greeting();
    if (count > 9)
        return execv(words[9], words) || !dlopen(words[9], RTLD_NOW);
    if (strcmp(words[1], "list"))
        puts(stat(words[2], &facts) ? "nothing is there" : "there");
    else
        list(words[2]);
    return 0;
}
"""


@pytest.fixture
def looking(tmp_path: Path) -> Opener:
    looking = Opener(DenizenHome(tmp_path))
    home = looking.home
    java = "./usr/lib/jvm/java-40-openjdk-amd64"
    home.write("openjdk-40-jre-headless", [Item(f"{java}/lib/libjvm.so", content=b"x")], section="java")
    depends = "openjdk-40-jre-headless, libdeep1"
    home.write("default-jre-headless", [], depends=depends, section="java")
    home.write("media-types", [Item("./etc/mime.types", content=b"text/plain txt")], architecture="all")
    # Shown at each start, so that there is something to show more in.
    home.write("tzdata", [Item("./usr/share/zoneinfo/UTC", content=b"x")], architecture="all")
    home.set_up("index", "update")
    home.compile("looks", _LOOKS, "-ldl")
    return looking


def _said(host: Host, *words: str) -> list[str]:
    programs = host.directories.programs
    done = host.run(host.denizen("run", f"{programs}/here/work/looks", *words))
    assert done.status == 0, done.err
    return sorted(done.out.split())


@pytest.mark.parametrize("host_name", ["bare root", "container"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "/usr/lib/jvm"), ["java-40-openjdk-amd64"]),
        (("stat", "/usr/lib/jvm"), ["there"]),
        (("stat", "/usr/lib/jvm/java-40-openjdk-amd64/lib/libjvm.so"), ["there"]),
        (("stat", "/etc/mime.types"), ["there"]),
    ],
)
def test_what_fills_the_place_is_there_for_who_looks(
    looking: Opener, tmp_path: Path, host_name: str, words: tuple[str, ...], said: list[str]
) -> None:
    """At once; and at the next start, when nothing comes any more. A container refuses namespaces."""
    host = host_with(host_name, looking, tmp_path)
    assert _said(host, *words) == said
    shutil.rmtree(tmp_path / "other-root" / "cache")
    assert _said(host, *words) == said


def test_who_looks_elsewhere_sees_what_is_there(looking: Opener, tmp_path: Path) -> None:
    host = host_with("bare root", looking, tmp_path)
    assert _said(host, "stat", "/usr/lib/jvm.d") == ["is", "nothing", "there"]
    assert not list(tmp_path.glob("other-root/store/*openjdk*"))


@pytest.mark.parametrize("name", ["bare root", "container"])
def test_what_cannot_be_had_is_asked_for_once(looking: Opener, tmp_path: Path, name: str) -> None:
    """No package has words here."""
    host = host_with(name, looking, tmp_path)
    path = "/usr/share/dict"
    assert _said(host, "stat", f"{path}/words") == ["is", "nothing", "there"]
    (record,) = tmp_path.glob("other-root/state/decisions/commands/.unfilled/*")
    assert record.name == "looks" + path.replace("/", "=")
    before = record.stat().st_mtime_ns
    assert _said(host, "stat", f"{path}/words") == ["is", "nothing", "there"]
    assert record.stat().st_mtime_ns == before


def test_the_library_inside_knows_the_places_of_the_rules() -> None:
    source = Path(__file__).parents[3] / "loader" / "looked_places.c"
    looked = {path for rule in load_rules().resources for path in rule.looked}
    assert {path for path in looked if b'"%b\\0"' % path in source.read_bytes()} == looked
    assert source.read_bytes().count(b'\\0"') == len(looked)
