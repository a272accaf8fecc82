"""A system of Debian's kernel and busybox boots from its boot entry, in a machine that QEMU emulates.

What a kernel older than this machine's does with the loader is seen there too.
"""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.app.profiles.install_request import InstallRequest
from denizen.app.system.system_access import system_at
from denizen.app.system.system_switch import switched
from tests.support.compiled_loaders import compile_loader
from tests.support.peers import require
from tests.support.real_archive import one_at_a_time, real_archive, with_packages
from tools.boot_system import QEMU, NotBooted, boot, entries_of

pytestmark = [pytest.mark.network, pytest.mark.peer, pytest.mark.slow]

SPEC = """
name = "box"
suite = "bookworm"
packages = ["busybox-static"]
[etc.motd]
text = "this is generation %d\\n"
[etc.loader]
source = "loader"
mode = "0755"
[etc.undecided]
source = "undecided"
mode = "0755"
[users.app]
uid = 900
[directories."/srv/app"]
mode = "0750"
user = "app"
[boot]
kernel = { package = "linux-image-cloud-amd64", path = "boot/vmlinuz-*" }
initrd = "closure"
shell = { package = "busybox-static", path = "bin/busybox" }
options = ["console=ttyS0", "quiet", "panic=-1"]
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A target with two generations."""
    require(QEMU)
    if os.uname().machine != "x86_64":
        pytest.skip("the machine is x86-64's, and the packages are of this one")
    context = real_archive()
    target, spec = tmp_path / "target", tmp_path / "box.toml"
    target.mkdir(mode=0o755)
    compile_loader(tmp_path / "loader")
    interpreter = "-Wl,--dynamic-linker=/etc/loader"
    compiler = ("gcc", "-x", "c", "-", "-o", tmp_path / "undecided", interpreter)
    subprocess.run(compiler, input=b"int main(void) { return 0; }", check=True)

    def switch(number: int) -> None:
        spec.write_text(SPEC % number)
        with_packages(
            context,
            "amd64",
            lambda: switched(system_at(context.session, str(target)), str(spec), InstallRequest()),
        )

    with one_at_a_time(context):
        switch(1)
        switch(2)
    return target


def test_the_former_generation_boots_to_a_prompt_from_its_entry(target: Path) -> None:
    # `tools/boot_system.py DIR` boots every generation; one here, for the time that an emulation takes.
    entries = entries_of(target)
    assert sorted(entries) == [1, 2]
    lines = ["cat /etc/motd", "ls -ldn /srv/app", "readlink -f /etc/motd", "grep -c app /etc/passwd"]
    lines += ["/etc/undecided; echo status $?"]
    try:
        said = boot(target, entries[1], lines, 240)
    except NotBooted as problem:
        if "Run /var" not in str(problem) and "denizen:" not in str(problem):
            pytest.skip(f"the emulated machine is too slow here: {problem}")
        raise
    assert "this is generation 1\n" in said
    assert "drwxr-x---    2 900      0" in said
    tree = entries[1]["options"].split()[0].removeprefix("rdinit=").removesuffix("/init")
    assert f"denizen: generation {tree.rpartition('/')[2]}" in said
    assert "-denizen-system-box-files/etc/motd\n" in said
    # Linux before 6.7 kills a program whose interpreter ends within a page that cannot be written to.
    assert "/undecided: " in said
    assert "status 127\n" in said
