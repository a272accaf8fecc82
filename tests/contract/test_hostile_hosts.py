"""Starts where a host or a library has what one C library takes and another does not."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow

# Asks for users, groups and hosts, and lists what it loaded for that.
_ASKS = """
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
const char *greeting(void);
int main(void) {
    struct passwd *user = getpwuid(getuid());
    struct group *group = getgrgid(0);
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    char line[4096];
    puts(greeting());
    puts(user ? user->pw_name : "no user");
    puts(group ? group->gr_name : "no group");
    puts(getpwnam("nobody-has-this-name") ? "a user" : "no such user");
    puts(getaddrinfo("localhost", "443", &hints, &found) ? "no address" : "localhost");
    puts(getaddrinfo("nowhere.invalid", "443", &hints, &found) ? "no such host" : "an address");
    for (FILE *maps = fopen("/proc/self/maps", "r"); fgets(line, sizeof line, maps);)
        if (strstr(line, "libnss_")) fputs(line, stdout);
    return 0;
}
"""
_HOSTILE = """
#include <stdlib.h>
__attribute__((constructor)) static void end(void) { abort(); }
"""
_OPENS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(int count, char **words) {
    void *library = dlopen(words[1], RTLD_NOW);
    int (*answer)(void) = library ? (int (*)(void))dlsym(library, "answer") : 0;
    puts(greeting());
    printf("%d\\n", answer ? answer() : -1);
    return 0;
}
"""
_OPTIONS = [(), ("--hermetic",), *(("--strategy", one) for one in ("namespace", "stub", "direct"))]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def asking(home: DenizenHome) -> Path:
    return home.compile("asks", _ASKS)


def _on_hostile_host(home: DenizenHome, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run on this machine with a name service whose module ends the process that loads it."""
    require("bwrap")
    module = home.work.parent.parent / "hostile.so"
    words = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(module)]
    subprocess.run(words, input=_HOSTILE.encode(), check=True)
    services = home.work.parent.parent / "nsswitch.conf"
    services.write_text(
        "passwd: hesiod systemd sss files\n"
        "group: hesiod systemd sss files\n"
        "hosts: hesiod mymachines mdns4_minimal [NOTFOUND=return] files\n"
    )
    place = Path("/usr/lib/x86_64-linux-gnu/libnss_hesiod.so.2")
    if not place.exists():
        pytest.skip(f"no module of glibc's is at {place}, over which another could be mounted")
    binds = ("--ro-bind", str(services), "/etc/nsswitch.conf", "--ro-bind", str(module), str(place))
    host = ["bwrap", "--dev-bind", "/", "/", *binds]
    return subprocess.run([*host, *command], capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("options", _OPTIONS, ids=" ".join)
def test_no_name_service_of_the_host_is_loaded_into_a_packages_c_library(
    home: DenizenHome, asking: Path, options: Sequence[str]
) -> None:
    """Users, groups and hosts are found by files; natively such a module is loaded, and the process ends."""
    assert _on_hostile_host(home, ["getent", "passwd", "0"]).returncode == 128 + 6
    user = subprocess.run(["id", "--user", "--name"], capture_output=True, text=True, check=True).stdout
    done = _on_hostile_host(home, home.command("run", *options, os.fspath(asking)))
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        ["hello from the store", user.strip(), "root", "no such user", "localhost", "no such host"],
    ), done.stderr


@pytest.mark.parametrize("options", _OPTIONS, ids=" ".join)
def test_a_library_with_an_executable_stack_opens_where_the_c_library_allows_it(
    home: DenizenHome, options: Sequence[str]
) -> None:
    """As natively: glibc 2.41 and later refuse it (resolve/test_executable_stacks.py: which is chosen)."""
    program = home.compile("opens-stacked", _OPENS)
    library = home.work.parent.parent / "stacked.so"
    words = ["gcc", "-shared", "-fPIC", "-Wl,-z,execstack", "-x", "c", "-", "-o", str(library)]
    subprocess.run(words, input=b"int answer(void) { return 42; }", check=True)
    alone = home.work.parent.parent / "natively"
    source = f'{_OPENS}const char *greeting(void) {{ return "hello from the store"; }}'
    subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", alone], input=source.encode(), check=True)
    own = subprocess.run([alone, library], capture_output=True, text=True, check=False)
    done = home.denizen("run", *options, os.fspath(program), os.fspath(library))
    assert done.stdout == own.stdout
