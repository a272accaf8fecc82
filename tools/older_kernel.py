"""Run a command on the kernel of a Debian suite: `python -m tools.older_kernel SUITE COMMAND...`.

Boots the kernel in QEMU (by emulation, ten times slower than the machine). Its root
directory is this machine's, shared by 9p, below an overlay in memory: what the command writes is gone
afterwards. The command runs as root in the current directory; the tool's status is the command's. For example

    python -m tools.older_kernel bullseye .venv/bin/python -m pytest -n0 tests/loader

Needs root (the shared files keep their owners), apt, busybox, QEMU, 6 GB of memory and 400 MB of disk: no
part of the suite. The kernel comes by the machine's apt configuration; apt verifies it.
"""

import lzma
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from denizen.formats.cpio import CpioEntry, write_cpio
from denizen.formats.file_tree import Directory, File
from tests.support.apt import Apt
from tools.boot_system import EMULATED, FOR_EMULATION, QEMU

_BUSYBOX = Path("/bin/busybox")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Modules by name, needed ones before those that need them.
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_STATUS = re.compile(r"^older kernel: status (\d+)", re.MULTILINE)
_MEMORY = "6144"
_DIRECTORIES = (b"bin", b"dev", b"proc", b"sys", b"machine", b"memory", b"root")
# `switch_root` and not `chroot`: the kernel makes no user namespace for a process in a chroot.
_INIT = """\
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for module in /modules/*; do insmod "$module" || echo "older kernel: $module is not loaded"; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=1048576,cache=loose machine /machine
mount -t tmpfs -o size=80% m /memory; mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/machine,upperdir=/memory/upper,workdir=/memory/work o /root
for place in proc sys dev; do mount --move /$place /root/$place; done
mkdir -p /root/dev/shm /root/dev/pts; mount -t tmpfs t /root/dev/shm; mount -t devtmpfs d /dev
mount -t devpts p /root/dev/pts; mount -t tmpfs t /root/run; mkdir -m 1777 /root/run/tmp
ip link set lo up
cp /command /root/run/older-kernel
exec switch_root /root /bin/sh /run/older-kernel
"""
_COMMAND = """\
export HOME={home} PATH={path} LANG=C.UTF-8 TERM=dumb TMPDIR=/run/tmp
cd {directory}
uname -r
{command}
echo "older kernel: status $?"
{busybox} poweroff -f
"""


def kernel_package(suite: str, directory: Path) -> Path:
    """Fetch and unpack the kernel's package of a suite, and return the directory of its files."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    entries = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    apt = Apt(directory / "apt", entries[0], [suite], ["amd64"], _KEYRING)
    apt.run("apt-get", "update")
    (name,) = re.findall(r"linux-image-[0-9]\S*", apt.run("apt-cache", "depends", "linux-image-amd64"))[:1]
    apt.run("apt-get", "download", name)
    (package,) = apt.root.glob("linux-image-*.deb")
    subprocess.run(["dpkg", "-x", package, directory / "kernel"], check=True)
    return directory / "kernel"


def modules_of(files: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of the modules that the boot needs; what a kernel has built in is passed over."""
    places = {path.name.partition(".ko")[0].replace("-", "_"): path for path in files.rglob("*.ko*")}
    seen: set[str] = set()

    def with_needed(name: str) -> Iterator[tuple[str, bytes]]:
        if name in seen or name not in places:
            return
        seen.add(name)
        content = places[name].read_bytes()
        content = lzma.decompress(content) if places[name].suffix == ".xz" else content
        needed = _DEPENDS.search(content)
        for other in needed[1].decode().split(",") if needed else ():
            yield from with_needed(other.replace("-", "_"))
        yield name, content

    for name in _MODULES:
        yield from with_needed(name)


def initramfs(files: Path, script: str) -> bytes:
    """Return the archive that mounts this machine's files and starts the script in them."""

    def executable(path: bytes, content: bytes) -> CpioEntry:
        return CpioEntry(File(path, True, len(content), (content,)), 0o755)

    entries = [CpioEntry(Directory(path), 0o755) for path in (*_DIRECTORIES, b"modules")]
    entries.append(executable(b"bin/busybox", _BUSYBOX.read_bytes()))
    entries.append(executable(b"init", _INIT.encode()))
    entries.append(executable(b"command", script.encode()))
    for number, (name, content) in enumerate(modules_of(files)):
        entries.append(executable(b"modules/%02d-%s.ko" % (number, name.encode()), content))
    return b"".join(map(bytes, write_cpio(entries)))


def run(files: Path, command: list[str], archive: Path) -> int:
    """Boot the kernel, show what the machine says, and return the command's status; 1 where there is none."""
    script = _COMMAND.format(
        home=shlex.quote(os.environ.get("HOME", "/root")),
        path=shlex.quote(os.environ["PATH"]),
        directory=shlex.quote(os.getcwd()),
        command=shlex.join(command),
        busybox=_BUSYBOX,
    )
    archive.write_bytes(initramfs(files, script))
    (kernel,) = files.glob("boot/vmlinuz-*")
    words = [
        QEMU, *EMULATED, "-smp", "2", "-m", _MEMORY, "-nodefaults", "-nographic", "-no-reboot",
        "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(archive),
        "-fsdev", "local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=machine,mount_tag=machine",
        "-append", f"console=ttyS0 quiet panic=-1 mitigations=off {FOR_EMULATION}",
    ]  # fmt: skip
    said = []
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as machine:
        assert machine.stdout is not None
        for line in machine.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            said.append(line)
    found = _STATUS.search("".join(said))
    return int(found[1]) if found else 1


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or not (_BUSYBOX.exists() and shutil.which(QEMU)):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="older-kernel-") as directory:
        files = kernel_package(arguments[0], Path(directory))
        return run(files, arguments[1:], Path(directory, "initramfs"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
