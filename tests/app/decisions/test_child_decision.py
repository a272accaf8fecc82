"""A program that another one starts has its files at fixed paths, in the namespace of the other."""

from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.offline_roots import TRIPLET, DenizenHome
from tests.support.opening_programs import Opener, host_with

pytestmark = pytest.mark.slow

_STARTS = """
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    greeting();
    if (fork() == 0) execv(words[1], words + 1);
    wait(NULL);
    return 0;
}
"""
_CHILD = """
#include <stdio.h>
const char *greeting(void);
const char *text(void);
int main(void) { greeting(); puts(text()); return 0; }
"""
_FIXED = """
#include <stdio.h>
const char *text(void) {
    static char text[99];
    FILE *file = fopen("/usr/share/fixed/text", "r");
    return file && fgets(text, 99, file) ? text : "nothing is there";
}
"""


def test_the_files_of_a_child_are_shown_at_once_and_at_the_next_start(tmp_path: Path) -> None:
    """The second start decides about nothing: it has the files from the decision about the parent."""
    home = DenizenHome(tmp_path)
    opening = Opener(home)
    home.add_library("fixed", _FIXED)
    library = Item(f"./{TRIPLET}/libfixed.so.1", content=home.library("fixed").read_bytes())
    home.write("libfixed1", [library, Item("./usr/share/fixed/text", content=b"found")])
    home.compile("starts", _STARTS)
    home.compile("child", _CHILD, str(home.library("fixed")))
    host = host_with("bare root", opening, tmp_path)
    place = f"{host.directories.programs}/here/work"
    for _ in range(2):
        done = host.run(host.denizen("run", f"{place}/starts", f"{place}/child"))
        assert done.out == "found\n", done.err
