"""Static programs on a root with nothing: what they look for is shown to them, or named by a variable."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.test_missing_files import BUNDLE, PACKAGES
from tests.support.bare_programs import BareProgram
from tests.support.hosts import HOSTS, Outcome

pytestmark = pytest.mark.slow

# What OpenSSL and Go do: the file that the variable names, else the usual one. glibc itself reads TZDIR.
_LOOKS = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int count, char **words) {
    time_t zero = 0;
    char line[99];
    const char *given = getenv("SSL_CERT_FILE");
    FILE *of = fopen(given ? given : "/etc/ssl/certs/ca-certificates.crt", "r");
    printf("%d %s\\n", localtime(&zero)->tm_hour, given && *given == '/' ? "named" : "");
    while (of && fgets(line, sizeof line, of)) fputs(line, stdout);
    if (count > 1) puts(words[1]);
    return 0;
}
"""
_EXECUTES = """
#include <unistd.h>
int main(int count, char **words) {
    char *argv[] = {"looks", words[2], 0};
    return execv(words[1], argv), 115;
}
"""
_HOSTS = ("bare root", "container")
_TOKYO = {"TZ": "Asia/Tokyo"}


@pytest.fixture(scope="module", params=_HOSTS)
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    place = tmp_path_factory.mktemp("static")
    return BareProgram(request.param, place, _LOOKS, *PACKAGES, flags=("-static",))


def started(bare: BareProgram, env: Mapping[str, str], *options: str) -> Outcome:
    return bare.host.run([*bare.host.denizen("run", *options), bare.path], env=env)


def test_it_has_the_hour_and_the_authorities(bare: BareProgram) -> None:
    assert started(bare, _TOKYO, "--strategy", "host").out == "0 \n"
    budget = bare.directories.root / "config" / "budget"
    budget.write_text("0")
    assert started(bare, _TOKYO).out == "0 \n"
    budget.unlink()
    updated = bare.host.run([*bare.host.python, "index", "update", "--root", bare.host.directories.root])
    assert updated.status == 0, updated.err
    first, second = (started(bare, _TOKYO) for _ in range(2))
    named = "named" if bare.host.name == "container" else ""
    assert (first.status, first.out) == (0, f"9 {named}\n{BUNDLE}"), first.err
    assert (second.out, second.err) == (first.out, "")


def test_one_that_another_program_starts_has_them_too(tmp_path: Path) -> None:
    """Files are shown to it in the namespace of the program around it; without one, variables name them."""
    made = BareProgram("container", tmp_path, _EXECUTES, *PACKAGES)
    (tmp_path / "looks.c").write_text(_LOOKS)
    looks = made.path_here.with_name("looks")
    subprocess.run(["gcc", "-w", "-static", "-o", looks, tmp_path / "looks.c"], check=True)
    path = str(Path(made.path).with_name("looks"))
    for _ in range(2):
        done = made.host.run([*made.host.denizen("run"), made.path, path, "by-name"], env=_TOKYO)
        assert (done.status, done.out) == (0, f"9 named\n{BUNDLE}by-name\n"), done.err
    # Nothing is said in the midst of what a program prints.
    assert done.err == ""


def test_a_variable_of_the_callers_is_left_as_it_is(bare: BareProgram) -> None:
    assert started(bare, _TOKYO | {"SSL_CERT_FILE": "none"}).out == "9 \n"


def test_by_the_strategy_host_it_is_executed_as_it_is(bare: BareProgram) -> None:
    assert started(bare, _TOKYO, "--strategy", "host").out == "0 \n"


def test_why_tells_what_it_looks_for_and_how_it_gets_it(bare: BareProgram) -> None:
    done = bare.host.run(bare.host.denizen("why", "--json", bare.path))
    strategy = json.loads(done.out)["strategy"]
    mounted = bare.host.name == "bare root"
    assert strategy["chosen"] == ("namespace" if mounted else "host")
    told = {one["path"]: (one["packages"], one["mounted"], one["variables"]) for one in strategy["files"]}
    assert told["/etc/ssl/certs"] == (["ca-certificates"], mounted, [] if mounted else ["SSL_CERT_FILE"])
    assert told["/usr/share/zoneinfo"] == (["tzdata"], mounted, [] if mounted else ["TZDIR"])
    shown = bare.host.run(bare.host.denizen("why", bare.path)).out
    means = "shown there" if mounted else "named by SSL_CERT_FILE"
    assert f"it looks for /etc/ssl/certs, of ca-certificates: {means}" in shown


def test_where_nothing_can_be_kept_it_starts_without_a_word(tmp_path: Path) -> None:
    made = BareProgram("bare root", tmp_path, _LOOKS, *PACKAGES, flags=("-static",))
    read_only = HOSTS["read-only store"](made.directories)
    done = read_only.run([*read_only.denizen("run"), made.path], env=_TOKYO)
    assert (done.status, done.out, done.err) == (0, "0 \n", "")
