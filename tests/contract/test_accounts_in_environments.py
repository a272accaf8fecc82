"""Who the accounts are in an environment on a host that has none."""

import subprocess
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item, directory

pytestmark = pytest.mark.slow

_SHELL = """
#include <stdlib.h>
#include <sys/wait.h>
int main(int count, char **words) { return WEXITSTATUS(system(words[1])); }
"""
# As base-passwd has it, from which an installer makes /etc/passwd.
_MASTER = b"root:*:0:0:root:/root:/bin/bash\nforty:*:40:40::/nonexistent:/bin/false\n"
_ASKS = b"#!/bin/sh\nwhile read -r line; do echo $line; done < /etc/passwd\n"


def test_a_command_in_an_environment_finds_the_accounts_of_any_system(tmp_path: Path) -> None:
    master = Item("./usr/share/base-passwd/passwd.master", content=_MASTER)
    bare = BareProgram(
        "bare root", tmp_path, _SHELL, ("asks", [master, Item("./usr/bin/asks", content=_ASKS, mode=0o755)])
    )
    done = bare.run("namespace", "asks")
    assert done.status == 0, done.err
    assert "forty:*:40:40:" in done.out


_STATE = b"""#!/bin/sh
while read -r line; do echo $line; done < /etc/passwd
for place in /var/lib/own /run/made /var/lib/declared; do : > $place/new && echo $place; done
"""
_POSTINST = """#!/bin/sh
HOME=/var/lib/own
getent passwd own > /dev/null || adduser --system --group --home $HOME own
install -d -o own -m 750 /run/made
"""
_ITEMS = (
    Item("./usr/bin/asks", content=_STATE, mode=0o755),
    Item("./usr/lib/sysusers.d/asks.conf", content=b"u declared 77\n"),
    Item("./usr/lib/tmpfiles.d/asks.conf", content=b"d /var/lib/declared 0755 - - -\n"),
    directory("./var/lib/own/"),
)
_ASKS_BY_NAME = """
#include <pwd.h>
#include <stdio.h>
int main(void)
{
    struct passwd *own = getpwnam("own");
    return own ? !printf("own lives in %s\\n", own->pw_dir) : 2;
}
"""
_OWN, _DECLARED = "own:x:999:999::/var/lib/own:", "declared:x:77:77::/:"


def test_a_command_finds_the_accounts_and_directories_of_its_package(tmp_path: Path) -> None:
    """Postfix's postmap asks for `postfix`, nginx writes into /var/lib/nginx: an installation makes both."""
    bare = BareProgram(
        "bare root", tmp_path, _SHELL, ("asks", _ITEMS), controls={"asks": {"postinst": _POSTINST}}
    )
    done = bare.run("namespace", "asks")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert any(line.startswith(_OWN) for line in lines)
    assert any(line.startswith(_DECLARED) for line in lines)
    assert lines[-3:] == ["/var/lib/own", "/run/made", "/var/lib/declared"]


def test_without_namespaces_a_host_that_has_no_accounts_gets_them(tmp_path: Path) -> None:
    (tmp_path / "asks.c").write_text(_ASKS_BY_NAME)
    subprocess.run(["gcc", "-w", "-o", tmp_path / "asks", tmp_path / "asks.c"], check=True)
    items = [Item("./usr/bin/asks", content=(tmp_path / "asks").read_bytes(), mode=0o755), *_ITEMS[1:]]
    controls = {"asks": {"postinst": _POSTINST, "depends": "libc6"}}
    bare = BareProgram("no user namespaces", tmp_path, _SHELL, ("asks", items), controls=controls)
    done = bare.run("direct", "asks")
    assert done.status == 0, done.err
    assert done.out == "own lives in /var/lib/own\n"
