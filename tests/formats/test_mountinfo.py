import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.mountinfo import Mount, read_mountinfo
from tests.support.peers import require

LINE = b"36 35 98:0 %b %b rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"


@given(st.binary().filter(lambda one: b"\0" not in one))
def test_a_path_is_read_as_the_kernel_writes_it(name: bytes) -> None:
    """fs/proc_namespace.c, show_mountinfo: seq_path escapes these four, and nothing else."""
    escaped = b"".join([b"\\%03o" % byte if byte in b" \t\n\\" else bytes([byte]) for byte in b"/" + name])
    assert read_mountinfo(LINE % (b"/", escaped)) == [Mount(b"/", b"/" + name, b"ext3", b"/dev/root")]


@pytest.mark.parametrize("line", [b"", b"1 2 3", b"1 2 3 4 5 6", b"1 2 3 4 5 6 - a"])
def test_what_is_no_mount_is_left_out(line: bytes) -> None:
    assert read_mountinfo(line + b"\n" + LINE % (b"/", b"/")) == read_mountinfo(LINE % (b"/", b"/"))


def test_the_kernels_own_words_are_understood(tmp_path: Path) -> None:
    require("unshare")
    place = os.fsencode(tmp_path) + b"/a b\tc\nd\\040\r\x0b"
    os.mkdir(place)
    script = 'mount -t tmpfs "a b" "$0" && cat /proc/self/mountinfo'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run([*map(os.fsencode, command), place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr!r}")
    (mount,) = [one for one in read_mountinfo(done.stdout) if one.point == place]
    assert (mount.kind, mount.source) == (b"tmpfs", b"a b")
