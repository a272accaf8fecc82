#!/usr/bin/env python3
"""Boot generations of a target in QEMU by their own boot entries: `tools/boot_system.py DIR [NUMBER...]`.

The entry's fields become QEMU's options: `linux` its -kernel, `initrd` its -initrd, `options` its -append. By
emulation (TCG) alone: a virtual machine's own KVM often promises what it cannot do.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

QEMU = "qemu-system-x86_64"
# By emulation, of a processor without cmpxchg16b: QEMU 7.2 leaves wrong flags behind it, with which the
# kernel panics in kmalloc where an interrupt comes next, more often on a busy host.
EMULATED = ("-machine", "accel=tcg", "-cpu", "qemu64,-cx16")
# Added to an entry's options. Linux tries for ten ticks of the emulated clock whether the timer interrupts,
# and panics where it saw none ("IO-APIC + timer doesn't work!"): the emulator may have had no turn.
FOR_EMULATION = "no_timer_check"
PROMPT = b"# "
# As busybox's shell and kernels end their lines on a serial line.
_MEMORY = "256"


class NotBooted(Exception):
    """The error that the system did not say what it was to say."""


def entries_of(target: Path) -> dict[int, dict[str, str]]:
    """Return the fields of each boot entry of a target, by the generation's number."""
    found = {}
    for path in sorted((target / "boot/loader/entries").glob("denizen-*.conf")):
        fields = dict(line.split(" ", 1) for line in path.read_text().splitlines())
        found[int(fields["version"])] = fields
    return found


def boot(target: Path, entry: dict[str, str], lines: Sequence[str], patience: float) -> str:
    """Boot an entry, type lines at its prompt, and return all that it said until it is off.

    Raises:
        NotBooted: there was no prompt, or no end, in time.
    """
    words = [
        QEMU, *EMULATED, "-m", _MEMORY, "-nodefaults", "-nographic", "-no-reboot",
        "-serial", "stdio", "-kernel", f"{target}/boot{entry['linux']}",
        "-append", f"{entry['options']} {FOR_EMULATION}",
    ]  # fmt: skip
    if "initrd" in entry:
        words += ["-initrd", f"{target}/boot{entry['initrd']}"]
    end = time.monotonic() + patience
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as machine:
        try:
            said = read_until(machine, PROMPT, end)
            assert machine.stdin is not None
            machine.stdin.write("".join(f"{line}\n" for line in (*lines, "poweroff -f")).encode())
            machine.stdin.flush()
            return (said + read_until(machine, None, end)).decode("utf-8", "replace").replace("\r", "")
        finally:
            machine.kill()


def read_until(machine: subprocess.Popen[bytes], word: bytes | None, end: float) -> bytes:
    """Read until a word, or to the end for None. Raises NotBooted."""
    assert machine.stdout is not None
    said = b""
    while word is None or word not in said:
        ready = select.select([machine.stdout], [], [], max(0, end - time.monotonic()))[0]
        piece = os.read(machine.stdout.fileno(), 65536) if ready else b""
        if not piece and word is None and ready:
            return said
        if not piece:
            raise NotBooted(f"no {word!r} in: {said[-2000:].decode('utf-8', 'replace')}")
        said += piece
    return said


def main(arguments: list[str]) -> int:
    target = Path(arguments[0])
    entries = entries_of(target)
    if not entries:
        print(f"{target} has no boot entry", file=sys.stderr)
        return 1
    for number in map(int, arguments[1:] or map(str, entries)):
        started = time.monotonic()
        said = boot(target, entries[number], ["ls -l /etc/static /etc", "cat /etc/motd"], 300)
        print(f"--- generation {number}, on and off in {time.monotonic() - started:.1f} s\n{said}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
