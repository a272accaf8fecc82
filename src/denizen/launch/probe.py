"""What this host allows, found by doing it, and remembered until the next boot.

The plan a start would carry out is carried out, up to the point where the program would begin
(`denizen-enter … check`). Nothing is concluded from sysctls: whether AppArmor, seccomp, a container or a
limit forbids it, the kernel's answer says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess

from denizen.disk import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_BOOT = "/proc/sys/kernel/random/boot_id"
_TIMEOUT = 20


def obstacle(enter: bytes, operations: Sequence[bytes], memory: bytes) -> str:
    """What `denizen-enter` meets when it carries the operations out here; "" where all goes well."""
    place = _place(enter, operations, memory)
    if place is not None:
        with contextlib.suppress(OSError), open(place, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    found = _tried([enter, *operations, b"check"])
    if place is not None:
        with contextlib.suppress(OSError):  # a state directory that cannot be written is no obstacle
            os.makedirs(memory, mode=0o700, exist_ok=True)
            write_atomically(place, found.encode("utf-8", "replace"))
    return found


def _tried(command: Sequence[bytes]) -> str:
    try:
        done = subprocess.run(  # our own program, by its absolute path
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    if done.returncode == 0:
        return ""
    words = done.stderr.decode("utf-8", "replace").strip().removeprefix("denizen: ")
    return words or f"the trial ended with status {done.returncode}"


def _place(enter: bytes, operations: Sequence[bytes], memory: bytes) -> bytes | None:
    """Where the answer is remembered: per boot, user, and the namespaces we are in already."""
    try:
        with open(_BOOT, "rb") as stream:
            words = [stream.read()]
        words += [os.fsencode(os.readlink(f"/proc/self/ns/{kind}")) for kind in ("user", "mnt")]
    except OSError:
        return None
    words += [b"%d" % os.geteuid(), enter, *operations]
    return os.path.join(memory, hashlib.sha256(b"\0".join(words)).hexdigest()[:32].encode("ascii"))
