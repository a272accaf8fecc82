"""Boot generations of a Debian with systemd from a disk in QEMU: `python -m tools.boot_systemd DIR`.

DIR gets a Debian by mmdebstrap with its own kernel, initrd and systemd (if it has none), a system of denizen
by `denizen system switch --target`, and an image of both. Then, each told as it is seen on the serial line:

1. generation 1 boots from its entry to a login; its unit runs, systemd counts no failed one;
2. in the running system `denizen system switch` makes generation 2: the unit whose text changed is restarted,
   the other keeps its process; a unit that fails brings generation 2 back; `rollback` and `switch` again;
3. the entry of generation 2 boots, and the former generation from its own, each with its files and units.

Needs root, mmdebstrap, e2fsprogs and QEMU, 3 GB of disk, and a quarter of an hour: no part of the suite.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.boot_system import EMULATED, FOR_EMULATION, QEMU, NotBooted, entries_of, read_until

_HERE = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "systemd systemd-sysv dbus udev kmod login passwd initramfs-tools linux-image-cloud-amd64 "
    "python3-minimal libpython3-stdlib"
)
_PATIENCE = 900
_SPEC = '''
name = "box"
[etc.motd]
text = "this is generation %(number)d\\n"
# An emulated machine on a busy one is slow.
[etc."systemd/system.conf.d/slow.conf"]
text = """
[Manager]
DefaultDeviceTimeoutSec=900
DefaultTimeoutStartSec=900
"""
[users.app]
uid = 900
[directories."/srv/app"]
mode = "0750"
user = "app"
[units."changing.service"]
text = """
[Service]
ExecStart=/bin/sleep %(number)d0000
[Install]
WantedBy=multi-user.target
"""
enable = true
[units."staying.service"]
text = """
[Service]
User=app
ExecStart=/bin/sleep 99999
[Install]
WantedBy=multi-user.target
"""
enable = true
%(more)s
[boot]
kernel = { source = "boot/%(kernel)s" }
initrd = { source = "boot/%(initrd)s" }
init = "/lib/systemd/systemd"
options = ["root=/dev/vda", "console=ttyS0", "quiet", "panic=-1"]
'''
_FAILING = """
[units."failing.service"]
text = '''
[Service]
Type=oneshot
ExecStart=/bin/false
[Install]
WantedBy=multi-user.target
'''
enable = true
"""


class SerialConsole:
    """A machine that has booted, and its shell on the serial line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._asked = 0

    def logged_in(self) -> str:
        """Wait for the login, enter as root, and return what was said until then."""
        said = self._until(b"login: ")
        self._write("root")
        self._until(b"# ")
        # Neither an echo of what is typed, nor control characters, nor a line's end in its middle.
        self.run("stty -echo cols 1000; TERM=dumb; PS1=; systemctl is-system-running --wait")
        return said

    def run(self, command: str) -> str:
        """Return what a command says, with its exit status in the last line."""
        self._asked += 1
        # Written in two parts, so that the echo of the command is not its end.
        self._write(f"{command}; echo status $? en''ded-{self._asked}")
        said = self._until(f"ended-{self._asked}\r\n".encode())
        return re.sub(r" ended-\d+\n$", "", said)

    def off(self) -> None:
        """Shut the system down, and wait until the machine is off."""
        self._write("systemctl poweroff")
        self._until(None)

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def _until(self, word: bytes | None) -> str:
        said = read_until(self._process, word, time.monotonic() + _PATIENCE)
        return said.decode("utf-8", "replace").replace("\r", "")


@contextmanager
def booted(image: Path, number: int) -> Iterator[SerialConsole]:
    """Boot a generation from the image by its entry; it is shut down at the end."""
    boot = image.parent / "boot-of-image"
    shutil.rmtree(boot, ignore_errors=True)
    _run("debugfs", "-R", f"rdump /boot {image.parent}", image)
    (image.parent / "boot").rename(boot)
    (boot / "boot").symlink_to(".")
    entry = entries_of(boot)[number]
    words = [
        QEMU, *EMULATED, "-icount", "shift=3", "-m", "1024", "-nodefaults", "-nographic",
        "-no-reboot",
        "-serial", "stdio", "-drive", f"file={image},if=virtio,format=raw",
        "-kernel", f"{boot}{entry['linux']}", "-initrd", f"{boot}{entry['initrd']}",
        "-append", f"{entry['options']} {FOR_EMULATION}",
    ]  # fmt: skip
    # By instructions the machine's clock does not outrun it, however busy the host is (-icount).
    started = time.monotonic()
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            console = SerialConsole(process)
            said = console.logged_in()
            (line,) = re.findall(r"denizen: generation \S+", said)
            print(f"--- entry {number}: login after {time.monotonic() - started:.0f} s; {line}")
            yield console
            console.off()
        finally:
            process.kill()


def made_root(debian: Path, root: Path) -> None:
    """Make a copy of a Debian, which is kept, with denizen in its Python's directory."""
    if not (debian / "etc").exists():
        wanted = _PACKAGES.replace(" ", ",")
        _run("mmdebstrap", "--variant=minbase", f"--include={wanted}", "bookworm", debian)
    shutil.rmtree(root, ignore_errors=True)
    _run("cp", "-a", debian, root)
    _run("chroot", root, "passwd", "-d", "root")
    shutil.copytree(
        _HERE / "src/denizen",
        root / "usr/lib/python3/dist-packages/denizen",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )


def write_spec(root: Path, name: str, number: int, more: str = "") -> None:
    """Write a description into the root."""
    kernel, initrd = (next(root.glob(f"boot/{stem}-*")).name for stem in ("vmlinuz", "initrd.img"))
    text = _SPEC % {"number": number, "kernel": kernel, "initrd": initrd, "more": more}
    (root / name).write_text(text)


def made_image(directory: Path) -> Path:
    """Make the root with generation 1, and an image of it."""
    root, image = directory / "root", directory / "disk.img"
    made_root(directory / "debian", root)
    for name, number, more in (("1.toml", 1, ""), ("2.toml", 2, ""), ("bad.toml", 3, _FAILING)):
        write_spec(root, name, number, more)
    print(_denizen("system", "switch", root / "1.toml", "--target", root, "--offline"), end="")
    image.unlink(missing_ok=True)
    _run("mkfs.ext4", "-q", "-d", root, image, "2G")
    return image


def asked(console: SerialConsole, commands: Sequence[str]) -> list[str]:
    """Run commands, and print each with what it said."""
    answers = []
    for command in commands:
        answers.append(console.run(command))
        print(f"# {command}\n{answers[-1]}")
    return answers


_LOOK = (
    "cat /etc/motd",
    "systemctl is-system-running",
    "systemctl show -P MainPID changing staying",
    "systemctl show -P ExecStart changing | grep -o 'sleep [0-9]*'",
    "stat -c '%A %U' /srv/app",
)
_COMMAND = "python3 -m denizen system"


def shown(image: Path) -> None:
    """Boot, switch and go back; print all, and fail where something is not as it must be."""
    with booted(image, 1) as console:
        before = asked(console, _LOOK)
        switched = asked(console, (f"{_COMMAND} switch /2.toml --offline", *_LOOK))
        failed = asked(console, (f"{_COMMAND} switch /bad.toml --offline", *_LOOK))
        back = asked(console, (f"{_COMMAND} rollback", *_LOOK))
        again = asked(console, (f"{_COMMAND} switch /2.toml --offline", f"{_COMMAND} list"))
    _must("this is generation 1" in before[0] and "running" in before[1], before)
    _must("drwxr-x--- app" in before[4], before)
    old, new = (answer.split()[:2] for answer in (before[2], switched[3]))
    _must(old[0] != new[0] and old[1] == new[1], [before[2], switched[3]])
    _must("this is generation 2" in switched[1] and "20000" in switched[4], switched)
    _must("status 125" in failed[0] and "this is generation 2" in failed[1], failed)
    _must("running" in failed[2] and "20000" in failed[4], failed)
    _must("this is generation 1" in back[1] and "10000" in back[4], back)
    _must("status 0" in again[0], again)
    for number in (2, 1):
        with booted(image, number) as console:
            found = asked(console, _LOOK)
        _must(f"generation {number}" in found[0] and f"{number}0000" in found[3], found)
        _must("running" in found[1], found)


def _must(holds: object, said: Sequence[str]) -> None:
    if not holds:
        raise NotBooted("\n".join(said))


def _denizen(*words: str | Path) -> str:
    command = [sys.executable, "-m", "denizen", *(os.fspath(word) for word in words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _run(*words: str | Path) -> None:
    subprocess.run([os.fspath(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    directory = Path(arguments[0]).resolve()
    directory.mkdir(exist_ok=True)
    shown(made_image(directory))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
