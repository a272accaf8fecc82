"""The plan of a builder's sandbox."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.build.runner.sandbox_plan import BuildRoom, SandboxRequest, sandboxed
from denizen.host import machine_name
from denizen.launch.loader.binaries import enter_path
from tests.support.build_sandboxes import require_sandbox

ROOM = BuildRoom(b"/w/build", b"/w/outputs", b"/w/scratch", b"/w/stage")


def test_the_root_of_an_environment_has_links_into_usr() -> None:
    request = SandboxRequest(
        ROOM, b"/nix/store", b"/s", (), tree=b"/s/tree", entries=(b"usr",), merged=(b"bin", b"lib64")
    )
    words = sandboxed(request, 3)
    for name in (b"bin", b"lib64"):
        place = words.index(b"/w/stage/" + name)
        assert words[place - 2 : place] == (b"symlink", b"usr/" + name)


def test_control_groups_are_out_of_reach_before_anything_else_is_made() -> None:
    words = sandboxed(SandboxRequest(ROOM, b"/nix/store", b"/s", ()), 3)
    place = words.index(b"isolate")
    assert words[place + 3] == b"no-cgroups"


def test_no_namespace_of_control_groups_can_be_made_in_a_sandbox() -> None:
    require_sandbox()
    limit = Path("/proc/sys/user/max_cgroup_namespaces")
    if not limit.exists():
        pytest.skip("a kernel before 4.9")
    plan = [enter_path(machine_name()), "isolate", str(os.getuid()), str(os.getgid()), "no-cgroups"]
    done = subprocess.run([*plan, "--", "/bin/cat", limit], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")
