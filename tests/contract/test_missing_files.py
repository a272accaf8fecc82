"""Files at fixed paths on a root that has none: what packages have there is seen."""

import struct

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item

pytestmark = pytest.mark.slow

_LOOKS = """
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
const char *volatile bundle = "/etc/ssl/certs/ca-certificates.crt";
int main(int count, char **words) {
    char line[99];
    if (!strcmp(words[1], "hour")) {
        time_t zero = 0;
        printf("%d\\n", localtime(&zero)->tm_hour);
    }
    if (!strcmp(words[1], "service")) {
        struct servent *found = getservbyname("only-here", "tcp");
        printf("%d\\n", found ? found->s_port / 256 + found->s_port % 256 * 256 : 0);
    }
    if (!strcmp(words[1], "localhost")) {
        struct addrinfo *found;
        puts(getaddrinfo("localhost", "80", 0, &found) ? "unknown" : "known");
    }
    if (!strcmp(words[1], "user")) puts(getpwuid(getuid()) ? "named" : "unknown");
    if (!strcmp(words[1], "accounts")) {
        struct passwd *root = getpwnam("root"), one, *found;
        struct group *group = getgrgid(0), some, *of;
        printf("%s %s ", root ? root->pw_dir : "-", group ? group->gr_name : "-");
        int status = getpwuid_r(65534, &one, line, sizeof line, &found);
        printf("%d %s ", status, found ? found->pw_name : "-");
        (void)getpwnam_r("stranger", &one, line, sizeof line, &found);
        printf("%d ", !found);
        status = getgrnam_r("nogroup", &some, line, sizeof line, &of);
        printf("%d %d ", status, of ? (int)of->gr_gid : -1);
        status = getgrgid_r(0, &some, line, 2, &of);
        printf("%d %d\\n", status == ERANGE, !of);
    }
    if (!strcmp(words[1], "file")) {
        FILE *of = fopen(words[2] ? words[2] : bundle, "r");
        while (of && fgets(line, sizeof line, of)) fputs(line, stdout);
        return !of;
    }
    return 0;
}
"""
_TYPE = struct.pack(">iBB", 9 * 3600, 0, 0) + b"JST\0"
_ZONE = (b"TZif2" + bytes(15) + struct.pack(">6I", 0, 0, 0, 0, 1, 4) + _TYPE) * 2 + b"\nJST-9\n"
_SHARE = "./usr/share"
PACKAGES = (
    ("tzdata", [Item(f"{_SHARE}/zoneinfo/Asia/Tokyo", content=_ZONE)]),
    ("netbase", [Item("./etc/services", content=b"only-here 4321/tcp\n")]),
    (
        "ca-certificates",
        [
            Item(f"{_SHARE}/ca-certificates/mozilla/Two.crt", content=b"second\n"),
            Item(f"{_SHARE}/ca-certificates/mozilla/One.crt", content=b"first"),
        ],
    ),
)
BUNDLE = "first\nsecond\n"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    return BareProgram("bare root", tmp_path_factory.mktemp("files"), _LOOKS, *PACKAGES)


def test_a_time_zone_is_what_it_says(bare: BareProgram) -> None:
    done = bare.run("namespace", "hour", env={"TZ": "Asia/Tokyo"})
    assert (done.status, done.out) == (0, "9\n")


def test_a_service_has_its_number_and_the_host_its_name(bare: BareProgram) -> None:
    assert bare.run("namespace", "service").out == "4321\n"
    assert bare.run("namespace", "localhost").out == "known\n"


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_authorities_are_one_file_at_each_path_where_libraries_look(bare: BareProgram, strategy: str) -> None:
    for path in ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/usr/lib/ssl/cert.pem"):
        done = bare.run(strategy, "file", path)
        assert (done.status, done.out) == (0, BUNDLE)


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    return BareProgram("container", tmp_path_factory.mktemp("container"), _LOOKS, *PACKAGES)


def test_without_a_namespace_the_c_library_is_led_to_the_zones(container: BareProgram) -> None:
    """It reads them by calls inside itself, which no library that stands before it sees."""
    assert container.run("stub", "hour", env={"TZ": "Asia/Tokyo"}).out == "9\n"
    assert container.run("stub", "hour", env={"TZ": "Asia/Tokyo", "TZDIR": "/nowhere"}).out == "0\n"
    assert container.host.run([*container.host.denizen("run"), container.path, "hour"]).out == "0\n"
    shown = container.host.run(container.host.denizen("why", container.path)).out
    assert "given where it is not set: TZDIR=" in shown


def test_a_program_that_asks_for_its_user_gets_an_answer(bare: BareProgram) -> None:
    """It opens nothing later; firejail's firecfg takes what getpwuid says for granted."""
    assert bare.run("namespace", "user").out == "named\n"


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_a_namespace_users_and_groups_have_names(container: BareProgram, strategy: str) -> None:
    """Puppet in Ruby takes a system in which no name is found for one that is no Unix."""
    assert container.run(strategy, "user").out == "named\n"
    done = container.run(strategy, "accounts")
    assert (done.status, done.out) == (0, "/root root 0 nobody 1 0 65534 1 1\n")
