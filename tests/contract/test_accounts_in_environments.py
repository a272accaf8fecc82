"""Who the accounts are in an environment on a host that has none."""

from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item

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
