"""A program that root starts and that gives up root's rights: what it starts then runs as natively."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights"),
]

_NOBODY = 65534


@pytest.fixture
def open_place() -> Iterator[Path]:
    """As with `--root /opt/denizen`: everybody may go through, as far as denizen lets them.

    Not in pytest's own directory, which any other pytest of root's closes to others.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o711)
        yield place


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
    home.set_up("index", "update")
    assert tmp_path.stat().st_mode & 0o077 == 0
    daemon = home.compile("daemon", _DAEMON)
    command = home.command("run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"daemon\n{_NOBODY}\n", "")


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_what_tells_of_roots_programs_stays_private(open_place: Path, strategy: str) -> None:
    home = DenizenHome(open_place)
    home.set_up("index", "update")
    daemon = home.compile("daemon", _DAEMON)
    listing = f"cat {home.decisions}/* {home.root}/state/tools/* | wc -c; ls {home.root}/state/tools | wc -l"
    words = ("/bin/sh", "-c", f"exec 2>/dev/null; {listing}")
    done = subprocess.run(
        home.command("run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY), *words),
        capture_output=True, text=True, check=False, timeout=60, cwd="/",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "daemon\n0\n0\n")


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_what_root_decided_serves_children_of_another_user(open_place: Path, strategy: str) -> None:
    home = DenizenHome(open_place)
    daemon = home.compile("daemon", _DAEMON)
    child = home.compile("child", "int greeting(); int main() { greeting(); return 7; }")
    undecided = home.compile("undecided", "int greeting(); int main() { greeting(); return 8; }")
    home.denizen("run", os.fspath(child), status=7)
    command = home.command("run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY))
    done = subprocess.run([*command, child], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (7, "daemon\n", "")
    # Nobody decides in root's directories: it starts as without denizen, without a word of ours.
    done = subprocess.run([*command, undecided], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 127
    assert done.stderr.startswith(f"{undecided}: error while loading shared libraries: libgreet.so.1")


_ELEVATED = """
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(void) { printf("%d %d\\n", (int)geteuid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
"""


@pytest.mark.parametrize("strategy", ["namespace", "stub", "direct"])
def test_a_set_user_id_program_of_the_host_gets_its_rights_below_it(open_place: Path, strategy: str) -> None:
    """As sudo does: nothing is set that takes them from all children (no_new_privs)."""
    home = DenizenHome(open_place)
    daemon = home.compile("daemon", _DAEMON)
    elevated = open_place / "elevated"
    subprocess.run(["gcc", "-x", "c", "-", "-o", elevated], input=_ELEVATED.encode(), check=True)
    elevated.chmod(0o4755)
    if os.statvfs(open_place).f_flag & os.ST_NOSUID:
        pytest.skip(f"{open_place} is on a file system that is mounted nosuid")
    command = home.command(
        "run", "--strategy", strategy, os.fspath(daemon), str(_NOBODY), os.fspath(elevated)
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert (done.returncode, done.stdout) == (0, "daemon\n0 0\n"), done.stderr


def test_decisions_are_public_about_programs_that_are(open_place: Path) -> None:
    home = DenizenHome(open_place)
    program = home.compile("program", "int greeting(); int main() { greeting(); return 7; }")
    public = home.root / "state" / "public"
    for mode, count in ((0o700, 0), (0o755, 1), (0o750, 0)):
        program.chmod(mode)
        home.denizen("run", os.fspath(program), status=7)
        facts = program.stat()
        times = f"{facts.st_mtime_ns:x}-{facts.st_ctime_ns:x}"
        name = f"{facts.st_dev:x}-{facts.st_ino:x}-{facts.st_size:x}-{times}"
        assert len(list(public.glob(name))) == count
    assert public.stat().st_mode & 0o777 == 0o711
    program.chmod(0o755)
    home.denizen("run", os.fspath(program), status=7)
    program.unlink()
    home.denizen("gc", "--grace", "0d")
    assert not [one for one in public.iterdir() if one.is_file()]
    # By its build-id somebody could ask whether root has a program of which a copy is known.
    assert not list(public.glob("b-*"))
