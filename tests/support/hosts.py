"""Hosts that lack something, made by the kernel's own means: namespaces, mount flags, seccomp, uids.

Nothing is simulated: such a host's refusals are the kernel's own (tests/hosts tests this module).
Each host is a row of HOSTS: a value whose `run` starts a command in it.

    bare root            nothing but the programs, denizen's root and Python, /proc, /dev, /tmp
    no user namespaces   a bare root whose kernel limit for user namespaces is used up (ENOSPC)
    container            a bare root below a container's seccomp filter: unshare, mount give EPERM
    noexec /tmp          a bare root whose /tmp is mounted noexec
    read-only store      a bare root where denizen's own root cannot be written
    no network           a bare root in an empty network namespace
    another uid          a bare root entered by a user of another number, who is not root outside either
    read-only root       this machine with every file system read-only, but for denizen's root and /tmp
    as it is             this machine
    env -i               this machine, with no environment at all
"""

import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import denizen
from denizen.disk import write_atomically
from tests.support.kept_files import kept_by_tests
from tests.support.peers import require
from tests.support.python_prefix import PREFIX, SOURCES, python_prefix

OTHER_UID = 4242
_TIMEOUT = 60.0
_LOGIN = {"USER": "somebody", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Outcome:
    """The result of a command: status, output, memory."""

    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak: int

    @property
    def out(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def err(self) -> str:
        return self.stderr.decode(errors="replace")


@dataclass(frozen=True)
class HostDirectories:
    """Directories, as a host sees them or as we do: denizen's root, the programs, one to write in."""

    root: Path
    programs: Path
    work: Path


# Where a made root has them.
INSIDE = HostDirectories(Path("/denizen"), Path("/programs"), Path("/work"))


@dataclass(frozen=True)
class Host:
    """One host.

    Attributes:
        name: of the row in HOSTS.
        directories: as seen there.
        python: what runs denizen there.
        interpreter: the Python of that.
        environment: what every command gets besides its own.
        wrap: the command line outside for a directory, an environment and a command inside.
    """

    name: str
    directories: HostDirectories
    python: tuple[str, ...]
    interpreter: str
    environment: Mapping[str, str]
    wrap: Callable[[Path, Mapping[str, str], Sequence[str]], list[str]]

    def denizen(self, command: str, *words: str) -> list[str]:
        """The words of a denizen command there."""
        return [*self.python, command, "--root", str(self.directories.root), *words]

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
        timeout: float = _TIMEOUT,
    ) -> Outcome:
        """Run a command there with exactly the host's environment and `env`."""
        variables = {**self.environment, **(env or {})}
        words = self.wrap(cwd or self.directories.work, variables, [str(word) for word in command])
        return _watched(words, stdin, timeout)


def _watched(words: Sequence[str], stdin: bytes, timeout: float) -> Outcome:
    """Run a command and return its outcome.

    Not subprocess.run, which reports neither memory nor the output of a killed process.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        start = time.monotonic()
        process = subprocess.Popen(words, stdin=given, stdout=out, stderr=err, start_new_session=True)
        late = not _ends(process.pid, timeout)
        if late:
            os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        process.returncode = code
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        shown = None if late else code if code >= 0 else 128 - code
        return Outcome(shown, out.read(), err.read(), seconds, usage.ru_maxrss)


def _ends(pid: int, timeout: float) -> bool:
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], timeout)[0])
    finally:
        os.close(handle)


# -- this machine


def as_it_is(directories: HostDirectories) -> Host:
    """Return this machine, with an environment like a login's."""
    return _machine("as it is", directories, {"PATH": "/usr/local/bin:/usr/bin:/bin", **_LOGIN})


def env_i(directories: HostDirectories) -> Host:
    """Return this machine, without any environment."""
    return _machine("env -i", directories, {})


def _machine(name: str, directories: HostDirectories, environment: Mapping[str, str]) -> Host:
    def wrap(cwd: Path, env: Mapping[str, str], command: Sequence[str]) -> list[str]:
        variables = [f"{key}={text}" for key, text in env.items()]
        return ["/usr/bin/env", "-i", f"--chdir={cwd}", *variables, *command]

    return Host(name, directories, (sys.executable, "-m", "denizen"), sys.executable, environment, wrap)


def read_only_root(directories: HostDirectories) -> Host:
    """Return this machine with a read-only / and an ordinary user, as an image-based distribution has it."""
    _require_bubblewrap()
    writable = [str(path) for room in (directories.root, directories.work) for path in ("--bind", room, room)]
    entry = ["bwrap", "--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent"]
    seen = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    # Also what lies below /tmp, where this project may have been cloned.
    shown = [os.path.realpath(path) for path in (sys.prefix, _sources(), directories.programs)]
    programs = [word for path in shown for word in ("--ro-bind", path, path)]

    def wrap(cwd: Path, env: Mapping[str, str], command: Sequence[str]) -> list[str]:
        variables = [word for key, text in env.items() for word in ("--setenv", key, text)]
        inside = ["--clearenv", *variables, "--chdir", str(cwd), "--", *command]
        return [*entry, *seen, *programs, *writable, *inside]

    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **_LOGIN}
    return Host(
        "read-only root", directories, (sys.executable, "-m", "denizen"), sys.executable, environment, wrap
    )


# -- roots with nothing


def bare_root(directories: HostDirectories) -> Host:
    """Return a root that holds only the given directories."""
    return _bare("bare root", directories)


def no_user_namespaces(directories: HostDirectories) -> Host:
    """Return a host whose limit on user namespaces is used up, and without capabilities.

    bubblewrap drops all capabilities.
    """
    return _bare("no user namespaces", directories, "--disable-userns")


def container(directories: HostDirectories) -> Host:
    """Return a host that refuses namespaces and mounts with EPERM, as a container's seccomp profile does."""
    place = kept_by_tests() / "container.filter"
    write_atomically(os.fsencode(place), namespace_filter(), mode=0o644)
    return _bare(
        "container", directories, "--seccomp", "9", around=("sh", "-c", f'exec "$@" 9<{place}', "sh")
    )


def noexec_tmp(directories: HostDirectories) -> Host:
    """Return a host whose /tmp is mounted noexec."""
    _require_root()
    mounted = 'mount -t tmpfs -o noexec,nosuid,mode=1777 none /mnt && exec "$@"'
    around = ("unshare", "--mount", "sh", "-c", mounted, "sh")
    return _bare("noexec /tmp", directories, "--bind", "/mnt", "/tmp", around=around)


def read_only_store(directories: HostDirectories) -> Host:
    """Return a host where denizen's root, once filled, cannot be written."""
    return _bare("read-only store", directories, "--remount-ro", str(INSIDE.root))


def no_network(directories: HostDirectories) -> Host:
    """Return a host with no network interface but a loopback of its own.

    A part of its /proc is covered, as containers have it. bubblewrap covers some itself, but only for root.
    """
    return _bare("no network", directories, "--unshare-net", "--ro-bind", "/proc/sys", "/proc/sys")


def another_uid(directories: HostDirectories) -> Host:
    """Return a host entered by another user, who owns denizen's root and the work directory.

    That user is not root outside of it either.
    """
    _require_root()
    require("setpriv")
    for room in (directories.root, directories.work):
        subprocess.run(["chown", "-R", f"{OTHER_UID}:{OTHER_UID}", room], check=True)
    # What is bound may lie below a directory that user cannot enter (/root): bound anew where it can.
    places = {
        "p": python_prefix(),
        "s": _sources(),
        "d": directories.root,
        "g": directories.programs,
        "w": directories.work,
    }
    script = "mount -t tmpfs none /mnt && "
    script += " && ".join(f"mkdir /mnt/{n} && mount --bind '{p}' /mnt/{n}" for n, p in places.items())
    script += f' && exec setpriv --reuid {OTHER_UID} --regid {OTHER_UID} --clear-groups -- "$@"'
    moved = HostDirectories(Path("/mnt/d"), Path("/mnt/g"), Path("/mnt/w"))
    around = ("unshare", "--mount", "sh", "-c", script, "sh")
    binds = _binds(moved, Path("/mnt/p"), Path("/mnt/s"))
    return _made("another uid", binds, (), around, uid=OTHER_UID)


def _bare(name: str, directories: HostDirectories, *options: str, around: Sequence[str] = ()) -> Host:
    return _made(name, _binds(directories, python_prefix(), _sources()), options, around)


def _binds(directories: HostDirectories, prefix: Path, sources: Path) -> list[str]:
    return [
        "--ro-bind", str(prefix), PREFIX, "--ro-bind", str(sources), SOURCES,
        "--ro-bind", str(directories.programs), str(INSIDE.programs),
        "--bind", str(directories.root), str(INSIDE.root), "--bind", str(directories.work), str(INSIDE.work),
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
    ]  # fmt: skip


def _made(
    name: str, binds: Sequence[str], options: Sequence[str], around: Sequence[str], uid: int = 1000
) -> Host:
    _require_bubblewrap()

    def wrap(cwd: Path, env: Mapping[str, str], command: Sequence[str]) -> list[str]:
        entry = ["bwrap", "--unshare-user", "--uid", str(uid), "--gid", str(uid), "--unshare-pid"]
        variables = [word for key, text in env.items() for word in ("--setenv", key, text)]
        outside = [*around, *entry, "--die-with-parent", *binds, *options, "--clearenv", *variables]
        return [*outside, "--chdir", str(cwd), "--", *command]

    python = (f"{PREFIX}/bin/denizen",)
    environment = {"PATH": f"{PREFIX}/bin", **_LOGIN}
    return Host(name, INSIDE, python, f"{PREFIX}/bin/python3", environment, wrap)


def _sources() -> Path:
    return Path(denizen.__file__).parent.parent


def _require_bubblewrap() -> None:
    require("bwrap")
    probe = subprocess.run(["bwrap", "--dev-bind", "/", "/", "true"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip(f"bubblewrap cannot make a namespace here: {os.fsdecode(probe.stderr).strip()}")


def _require_root() -> None:
    if os.geteuid():
        pytest.skip("only root can mount a file system noexec or become another user")


# linux/bpf_common.h, linux/seccomp.h, linux/audit.h, asm/unistd_64.h, asm/unistd_32.h.
_LOAD, _EQUAL, _HAS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_X86_64 = 0xC000003E
_CLONE, _CLONE3 = 56, 435
_REFUSED = (272, 308, 165, 155)  # unshare, setns, mount, pivot_root
_NEW_NAMESPACES = 0x7E020000


def namespace_filter() -> bytes:
    """Return a seccomp filter that refuses namespaces and mounts.

    Clone is refused only with a namespace flag.
    """
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for number in _REFUSED:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    # glibc falls back to clone where clone3 is not there; its flags lie in memory a filter cannot read.
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ENOSYS), (_EQUAL, 0, 3, _CLONE)]
    program += [(_LOAD, 0, 0, 16), (_HAS, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _EPERM)]
    return b"".join(struct.pack("<HBBI", *row) for row in [*program, (_RETURN, 0, 0, _ALLOW)])


HOSTS: Mapping[str, Callable[[HostDirectories], Host]] = {
    "bare root": bare_root,
    "as it is": as_it_is,
    "no user namespaces": no_user_namespaces,
    "container": container,
    "env -i": env_i,
    "noexec /tmp": noexec_tmp,
    "read-only store": read_only_store,
    "another uid": another_uid,
    "no network": no_network,
    "read-only root": read_only_root,
}
