"""`denizen run --lock`, and what the kernel refuses at the start itself."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.hosts import namespace_filter
from tests.support.offline_roots import DenizenHome
from tests.support.peers import require
from tests.support.seccomp import under_filter

pytestmark = pytest.mark.slow


def test_a_lock_is_followed(home: DenizenHome, program: Path, tmp_path: Path) -> None:
    lock = tmp_path / "greet.lock"
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    done = home.denizen("run", "--lock", os.fspath(lock), os.fspath(program))
    assert done.stdout.startswith("hello from the store")
    edited = tmp_path / "edited.lock"
    edited.write_text(lock.read_text().replace("1.0-1", "1.0-2"))
    assert "edited" in home.denizen("run", "--lock", os.fspath(edited), os.fspath(program), status=125).stderr
    home.denizen("run", "--lock", "/no/such.lock", os.fspath(program), status=127)


def test_a_lock_is_followed_where_the_kernel_refuses_at_the_start(home: DenizenHome, tmp_path: Path) -> None:
    """Decided for a namespace, and then there is none: what decides once more must know of the lock."""
    require("unshare")
    require("setpriv")
    library = home.add_library("age", 'const char *age(void) { return "locked"; }\n')
    source = "#include <stdio.h>\nconst char *age(); int main() { puts(age()); return 0; }\n"
    program = home.compile("aged", source, os.fspath(library))
    lock = tmp_path / "aged.lock"
    home.set_up("index", "update")
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    locked = home.command("run", "--lock", os.fspath(lock), os.fspath(program))
    subprocess.run(locked, check=True)
    home.add_library("age", 'const char *age(void) { return "newer"; }\n')
    home.set_up("index", "update")
    assert home.denizen("run", os.fspath(program)).stdout == "newer\n"
    room = ["unshare", "--user", "--map-root-user", "sh", "-c", _NO_MORE_NAMESPACES, "sh"]
    done = subprocess.run([*room, *locked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "locked\n"), done.stderr


def test_what_was_tried_outside_is_not_believed_in_a_container_that_shares_the_root(
    home: DenizenHome,
) -> None:
    """In the same namespaces too: all that differs is a seccomp filter."""
    outside, inside = home.compile("outside"), home.compile("inside")
    home.set_up("index", "update")
    assert home.denizen("run", os.fspath(outside)).stderr == ""
    command = under_filter(namespace_filter(), home.command("run", os.fspath(inside)))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    plan = under_filter(namespace_filter(), home.command("run", "--plan", os.fspath(inside)))
    said = subprocess.run(plan, capture_output=True, text=True, check=True).stdout
    assert "no namespace: unshare: this host forbids it (EPERM)" in said
    # What was decided with a namespace says why there is none, and starts.
    command = under_filter(namespace_filter(), home.command("run", os.fspath(outside)))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        0, "denizen: no namespace: unshare: this host forbids it (EPERM); trying otherwise\n"
    )  # fmt: skip


# Root in a namespace needs no further one to mount: the capability goes as well.
_NO_MORE_NAMESPACES = """
echo 0 >/proc/sys/user/max_user_namespaces
exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"
"""


def test_a_lock_of_another_program_is_refused(home: DenizenHome, program: Path, tmp_path: Path) -> None:
    lock = tmp_path / "greet.lock"
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    library = home.add_library("third", "int third(void) { return 3; }\n")
    other = home.compile("other", "int third(); int main() { return third(); }\n", os.fspath(library))
    done = home.denizen("run", "--lock", os.fspath(lock), os.fspath(other), status=125)
    assert "not for" in done.stderr
    assert "libthird.so.1" in done.stderr
