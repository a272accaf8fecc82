"""A program that root starts and that gives up root's rights: what it starts then runs as natively."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights"),
]

_NOBODY = 65534
_DAEMON = """
#include <stdio.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) {
    int status, who = atoi(words[1]);
    if (!greeting() || setgroups(0, 0) || setgid(who) || setuid(who)) return 90;
    puts("daemon"), fflush(stdout);
    if (!fork()) { execv(words[2], words + 2); _exit(99); }
    wait(&status);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
"""


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
@pytest.mark.parametrize(
    "words", [("/bin/sh", "-c", "id -u"), ("/usr/bin/id", "-u")], ids=["shell", "program"]
)
def test_the_hosts_programs_run_as_nobody(tmp_path: Path, strategy: str, words: tuple[str, ...]) -> None:
    """Where nobody else can go through root's directories, as below /root."""
    home = DenizenHome(tmp_path)
    home.denizen("index", "update")
    assert tmp_path.stat().st_mode & 0o077 == 0
    daemon = home.compile("daemon", _DAEMON)
    command = home.command("run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"daemon\n{_NOBODY}\n", "")


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_what_tells_of_roots_programs_stays_private(tmp_path: Path, strategy: str) -> None:
    home = DenizenHome(tmp_path)
    home.denizen("index", "update")
    daemon = home.compile("daemon", _DAEMON)
    listing = f"cat {home.decisions}/* {home.root}/state/tools/* | wc -c; ls {home.root}/state/tools | wc -l"
    words = ("/bin/sh", "-c", f"exec 2>/dev/null; {listing}")
    tmp_path.chmod(0o711)
    for above in tmp_path.parents[:2]:
        above.chmod(0o711)
    done = subprocess.run(
        home.command("run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY), *words),
        capture_output=True, text=True, check=False, timeout=60, cwd="/",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "daemon\n0\n0\n")
