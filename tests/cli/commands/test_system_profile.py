"""`install --system` as root, and another user who runs what it brought: in a mount namespace of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.peers import require
from tests.support.profile_home import ProfileHome

pytestmark = [pytest.mark.peer, pytest.mark.slow]
# A denizen root that knows the packages is put where the system's is.
_SCRIPT = """
set -e
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$1/up,workdir=$1/work" /var/lib
mkdir -p /var/lib/denizen
mount --bind "$2" /var/lib/denizen
scratch=$1
denizen() { "$python" -m denizen "$@"; }
user() { setpriv --reuid=1234 --regid=1234 --clear-groups env -i "PATH=$bin:/usr/bin:/bin" HOME=/ "$@"; }
bin=/var/lib/denizen/profiles/default/bin
denizen install --system cow mooing
user sh -c 'cow hello; test $? = 1'
denizen remove --system mooing
user sh -c 'command -v mooing || echo gone'
denizen profile rollback --system
user sh -c 'mooing again; test $? = 1'
denizen list --system
# A system's packages, on a copy of /etc.
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$scratch/etc,workdir=$scratch/etc-work" /etc
printf 'packages = ["cow"]\\n' > "$scratch/system.toml"
denizen system switch "$scratch/system.toml"
denizen profile wipe --system
denizen gc --root /var/lib/denizen >/dev/null
user sh -c '. /etc/profile.d/denizen-system.sh; cow system; test $? = 1'
"""


def test_another_user_runs_what_root_installed_for_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    require("unshare", "setpriv", "mount")
    if os.geteuid() != 0:
        pytest.skip("only root installs for all users")
    home = ProfileHome(tmp_path_factory.mktemp("all-users"))
    scratch = tmp_path_factory.mktemp("overlay")
    for name in ("up", "work", "etc", "etc-work"):
        Path(scratch, name).mkdir()
        Path(scratch, name).chmod(0o755)  # /var/lib has the mode of what lies over it
    home.root.chmod(0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "python": sys.executable,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    words = ["unshare", "--mount", "sh", "-c", _SCRIPT, "sh", str(scratch), str(home.root)]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no overlay can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert "+ cow 1" in said
    # A script in an environment of packages, with its data, for a user who owns none of it.
    assert said.count("moo") == 3
    assert any(line.endswith("cow: hello") for line in said)
    assert "gone" in said
    assert any(line.endswith(": again") for line in said)
    assert [line.split()[0] for line in said if "debs" in line or "debian" in line][:2] == ["cow", "mooing"]
    # The collector keeps what starts the commands of a system's generation, decisions and environment.
    assert "+ /etc/profile.d/denizen-system.sh" in said
    assert said[-1].endswith("cow: system")
