"""Units of this machine's own system, with a real systemd: it runs in namespaces, over a copy of the root.

The copy is an overlay in memory: /etc, /var and the units are written there. systemd finds no devices, kernel
settings that it cannot change, and nothing to start but what the test describes.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.peers import require

pytestmark = [pytest.mark.peer, pytest.mark.slow]
SYSTEMD = "/lib/systemd/systemd"
_ROOT = r"""
set -e
cd "$1"
mount -t tmpfs tmpfs here
mkdir here/up here/work here/root
mount -t overlay overlay -o lowerdir=/,upperdir=here/up,workdir=here/work here/root
cd here/root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
for place in dev run sys; do mount -t tmpfs tmpfs $place; done
for name in null zero urandom; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir -p sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
printf '[Unit]\nDefaultDependencies=no\n' > etc/systemd/system/nothing.target
exec chroot . env -i container=denizen PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  "$2" --system --unit=nothing.target --log-target=null
"""
UNIT = """
[etc.motd]
text = "%s"
[units."denizen-test.service"]
text = '''
[Unit]
DefaultDependencies=no
[Service]
Type=%s
ExecStart=/bin/%s
[Install]
WantedBy=a.target
'''
enable = true
"""


class RunningSystem:
    """A root whose first process is systemd."""

    def __init__(self, pid: int) -> None:
        self._enter = [
            "nsenter",
            "-t",
            str(pid),
            "-m",
            "-p",
            "-C",
            f"--root=/proc/{pid}/root",
            "--wd=/",
            "--",
        ]

    def run(self, *words: str, text: str = "") -> tuple[int, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": "/root", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(
            [*self._enter, *words], input=text, capture_output=True, text=True, check=False, env=environment
        )
        return done.returncode, done.stdout + done.stderr

    def switch(self, text: str) -> tuple[int, str]:
        self.run("tee", "/root/system.toml", text=text)
        return self.run(sys.executable, "-m", "denizen", "system", "switch", "/root/system.toml", "--offline")

    def shows(self, field: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", field, "denizen-test.service")[1].strip()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[RunningSystem]:
    require("unshare", "nsenter", "systemctl")
    if os.geteuid() != 0 or not os.path.exists(SYSTEMD):
        pytest.skip("only root can run a systemd of its own, where there is one")
    (tmp_path / "here").mkdir()
    kinds = ("--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--uts", "--ipc")
    words = ["unshare", *kinds, "sh", "-c", _ROOT, "sh", str(tmp_path), SYSTEMD]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as started:
        try:
            yield _booted(started)
        finally:
            started.kill()
    shutil.rmtree(tmp_path)


def _booted(started: subprocess.Popen[bytes]) -> RunningSystem:
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    said = ""
    for _ in range(300):
        if started.poll() is not None:
            break
        child = children.read_text().split()
        if child:
            running = RunningSystem(int(child[0]))
            said = running.run("systemctl", "is-system-running")[1]
            if re.match("running|degraded", said):
                return running
        time.sleep(0.1)
    started.kill()
    assert started.stderr is not None
    pytest.skip(f"systemd does not run in namespaces here: {said} {started.stderr.read().decode()}")


def test_units_are_started_restarted_and_stopped_and_come_back_where_a_start_fails(
    system: RunningSystem,
) -> None:
    status, said = system.switch(UNIT % ("one", "simple", "sleep 1000"))
    assert status == 0, said
    assert "systemctl start denizen-test.service" in said
    first = system.shows("MainPID")
    assert system.shows("ActiveState") == "active"
    assert system.shows("UnitFileState") == "enabled"
    # Another file alone restarts nothing; another text does.
    system.switch(UNIT % ("two", "simple", "sleep 1000"))
    assert system.shows("MainPID") == first
    system.switch(UNIT % ("two", "simple", "sleep 2000"))
    assert system.shows("MainPID") != first
    assert "sleep 2000" in system.shows("ExecStart")
    status, said = system.switch((UNIT % ("bad", "oneshot", "false")).replace("denizen-test", "denizen-bad"))
    assert status == 125
    assert "systemctl start denizen-bad.service failed" in said
    assert "active again" in said
    assert system.shows("ActiveState") == "active"
    assert "sleep 2000" in system.shows("ExecStart")
    assert system.run("cat", "/etc/motd")[1] == "two"
    assert "denizen-bad" not in system.run("systemctl", "list-units", "--all", "--no-legend")[1]
    status, said = system.switch("")
    assert "systemctl stop denizen-test.service" in said
    assert system.shows("ActiveState") == "inactive"
