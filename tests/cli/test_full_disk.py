"""`denizen run` with its root on a disk that has little or no room left."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.offline_roots import DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow

# A file system with a copy of the root and so much room (KiB) left, in a namespace of its own.
_LITTLE_ROOM = """
disk=$1 root=$2 room=$3; shift 3
mount -t tmpfs -o size=6m none "$disk" && cp -a "$root" "$disk/root" || exit 99
cat /dev/zero >"$disk/fill" 2>/dev/null
truncate -s "-${room}K" "$disk/fill" && exec "$@"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    made = DenizenHome(tmp_path_factory.mktemp("full"))
    made.set_up("index", "update")
    return made


def _run(home: DenizenHome, disk: Path, room: int, *words: str) -> subprocess.CompletedProcess[str]:
    require("unshare", "truncate")
    command = [word if word != os.fspath(home.root) else f"{disk}/root" for word in home.command(*words)]
    around = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _LITTLE_ROOM, "sh"]
    done = subprocess.run(
        [*around, disk, home.root, str(room), *command], capture_output=True, text=True, check=False
    )
    if done.returncode == 99:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    return done


def test_what_the_host_satisfies_starts_without_a_word(home: DenizenHome, tmp_path: Path) -> None:
    done = _run(home, tmp_path, 0, "run", "/bin/echo", "started")
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


@pytest.mark.parametrize("strategy", ["auto", "stub", "direct"])
@pytest.mark.parametrize("room", [0, 16, 100, 500, 1000, 2500])
def test_what_needs_room_says_so_in_a_sentence(
    home: DenizenHome, tmp_path: Path, strategy: str, room: int
) -> None:
    program = home.compile("roomy", "int greeting(); int main() { greeting(); return 4; }")
    done = _run(home, tmp_path, room, "run", "--strategy", strategy, os.fspath(program))
    if done.returncode != 4:
        assert done.returncode in (125, 126)
        assert "internal error" not in done.stderr
        first, why, *_ = done.stderr.splitlines()
        assert first.startswith("denizen: ")
        assert os.fspath(tmp_path) in first + why or os.fspath(home.debs) in first
        assert "No space left on device" in why or "full" in done.stderr
