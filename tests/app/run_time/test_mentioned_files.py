"""What comes for an object that a program opens and that looks for files by itself: it misses no library."""

import os
import shutil
from pathlib import Path

import pytest

from denizen.launch.dlopen_record import Opened
from denizen.resolve.rule_packs import load_rules
from tests.support.debs import Item
from tests.support.hosts import Host
from tests.support.offline_roots import DenizenHome
from tests.support.opening_programs import Opener, host_with

pytestmark = pytest.mark.slow

# It opens what lies beside another program, and what that says is printed.
_LOADS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(int count, char **words) {
    greeting();
    void *found = dlopen(words[count - 1], RTLD_NOW);
    puts(found ? ((const char *(*)(void))dlsym(found, "text"))() : dlerror());
    return 0;
}
"""
_LOOKS = """
#include <dirent.h>
#include <stdio.h>
const char *text(void) {
    static char text[99];
    DIR *directory = opendir("/usr/share/alsa");
    for (struct dirent *one; directory && (one = readdir(directory));)
        if (*one->d_name != '.')
            snprintf(text, 99, "%s %s", one->d_name, one->d_type == DT_REG ? "file" : "link");
    return *text ? text : "nothing is there";
}
"""
_ADDON = "addons/looks.node"


@pytest.fixture
def opening(tmp_path: Path) -> Opener:
    opening = Opener(DenizenHome(tmp_path))
    opening.home.write(
        "libasound2-data", [Item("./usr/share/alsa/alsa.conf", content=b"x")], architecture="all"
    )
    # Shown at each start, so that there is something to show more in.
    opening.home.write("tzdata", [Item("./usr/share/zoneinfo/UTC", content=b"x")], architecture="all")
    opening.home.set_up("index", "update")
    addon = opening.home.work.parent.parent / _ADDON
    addon.parent.mkdir()
    compiled = opening.home.compile("looks", _LOOKS, "-shared", "-fPIC")
    compiled.rename(addon)
    opening.home.compile("loads", 'const char *zone = "/usr/share/zoneinfo";' + _LOADS, "-ldl")
    return opening


def _said(host: Host) -> str:
    programs = host.directories.programs
    done = host.run(host.denizen("run", f"{programs}/here/work/loads", f"{programs}/{_ADDON}"))
    assert done.status == 0, done.err
    return done.out


@pytest.mark.parametrize("name", ["bare root", "container"])
def test_what_it_mentions_is_shown_before_it_runs(opening: Opener, tmp_path: Path, name: str) -> None:
    """At once; and at the next start, when nothing comes any more and it is not looked at again."""
    host = host_with(name, opening, tmp_path)
    assert _said(host) == "alsa.conf file\n"
    (opened,) = (Opened(os.fsencode(one)) for one in tmp_path.glob("other-root/state/decisions/opened/*/*"))
    examined = Path(os.fsdecode(opened.directory), ".examined")
    (looked_at,) = examined.iterdir()
    before = looked_at.stat().st_mtime_ns
    # Another file by the same name is another object.
    addon = opening.home.work.parent.parent / _ADDON
    times = addon.stat()
    os.utime(addon, (1, 1))
    _said(host)
    assert len(list(examined.iterdir())) == 2
    os.utime(addon, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(tmp_path / "other-root" / "cache")
    assert _said(host) == "alsa.conf file\n"
    assert [one.soname for one in opened.asked()] == [b"libasound2-data"]
    assert looked_at.stat().st_mtime_ns == before


def test_the_resident_looks_for_what_the_rules_mention() -> None:
    source = Path(__file__).parents[3] / "loader" / "resident" / "mentioned_files.c"
    mentions = {text for rule in load_rules().resources for text in rule.mentions}
    assert {text for text in mentions if b'{"%b", ' % text in source.read_bytes()} == mentions
