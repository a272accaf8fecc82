"""What is found out about processes: those that end, that hide, and that ought to be readable."""

import ctypes
import errno
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from denizen.store.collection import processes
from denizen.store.collection.processes import ProcessCensus, ProcessUnreadable, held_by_processes
from tests.support.processes import wait_until

DIGEST = b"0123456789abcdfghijklmnpqrsvwxyz"
NOBODY = 65534
PR_SET_DUMPABLE = 4
# exit(2), which ends one thread.
EXIT = {"x86_64": 60, "aarch64": 93}


def seen_by_nobody(begin: Callable[[], int]) -> str:
    """What an ordinary user's census says once `begin` made a child of that user: "read", or the refusal."""
    reader, writer = os.pipe()
    if not os.fork():
        try:
            if not os.geteuid():
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            # Another user's rights made it unreadable.
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
            os.write(writer, _seen(begin()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.wait()
    with open(reader) as answer:
        return answer.read()


def _seen(child: int) -> str:
    try:
        held_by_processes([DIGEST])
    except ProcessUnreadable as error:
        return f"{error.what}; the child is {child}"
    finally:
        os.kill(child, 9)
    return "read"


def test_a_process_that_nobody_waited_for_stops_no_collection() -> None:
    def begin() -> int:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        return child

    assert seen_by_nobody(begin) == "read"


def test_a_process_of_ours_that_made_itself_unreadable_is_passed_over() -> None:
    def begin() -> int:
        ready, tell = os.pipe()
        child = os.fork()
        if not child:
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
            os.write(tell, b".")
            time.sleep(1000)
        os.read(ready, 1)
        return child

    assert seen_by_nobody(begin) == "read"


@pytest.mark.skipif(platform.machine() not in EXIT, reason="the number of exit(2) is not known here")
def test_a_process_whose_first_thread_has_ended_holds_what_the_others_use() -> None:
    script = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=[1000]).start();"
        f"ctypes.CDLL(None).syscall({EXIT[platform.machine()]}, 0)"
    )
    environment = os.environ | {"TOOL": DIGEST.decode()}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        try:
            state = Path(f"/proc/{process.pid}/stat")
            wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z")
            place = held_by_processes([DIGEST]).held[DIGEST]
            assert place.startswith(b"/proc/%d/task/" % process.pid)
        finally:
            process.kill()


def test_a_process_may_have_an_environment_of_megabytes(proc: Path) -> None:
    (proc / "77/environ").write_bytes(b"A=" + b"0" * 4_000_000 + DIGEST + b"\0")
    assert held_by_processes([DIGEST], os.fsencode(proc)).held == {DIGEST: os.fsencode(proc / "77/environ")}


@contextmanager
def far_down(directory: Path, then: str) -> Iterator[int]:
    """A process that goes 5,000 bytes of path below `directory` and carries `then` out there."""
    down = "import os, time\nfor _ in range(20): os.mkdir('n' * 250); os.chdir('n' * 250)\n"
    script = f"{down}{then}\nprint(flush=True); time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-c", script], cwd=directory, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


def test_a_process_in_a_directory_that_the_kernel_cannot_tell_holds_what_is_above(tmp_path: Path) -> None:
    (object_ := tmp_path / f"{DIGEST.decode()}-deep").mkdir()
    with far_down(object_, "pass") as process:
        with pytest.raises(OSError, match="File name too long"):
            os.readlink(f"/proc/{process}/cwd")
        assert held_by_processes([DIGEST]).held == {DIGEST: b"/proc/%d/cwd" % process}


def test_an_open_file_whose_path_the_kernel_cannot_tell_stops_no_collection(tmp_path: Path) -> None:
    with far_down(tmp_path, "kept = open('file', 'w'); os.chdir('/')") as process:
        links = [f"/proc/{process}/fd/{number}" for number in os.listdir(f"/proc/{process}/fd")]
        with pytest.raises(OSError, match="File name too long"):
            [os.readlink(link) for link in links]
        assert held_by_processes([DIGEST]).held == {}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc of one process, 77, which is of the user nobody."""
    (tmp_path / "77/fd").mkdir(parents=True)
    (tmp_path / "77/stat").write_text("77 (a) b) S 1 77")
    (tmp_path / "77/status").write_text("Name:\ta\nCapPrm:\t0000000000000000\n")
    (tmp_path / "77/exe").symlink_to("/bin/a")
    if not os.geteuid():
        os.chown(tmp_path / "77/fd", NOBODY, NOBODY)
    return tmp_path


@pytest.fixture
def census(proc: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ProcessCensus]:
    """The census that a user with that /proc makes, to whom links in it are denied."""
    owner = os.stat(proc / "77/fd").st_uid

    def denied(_: bytes) -> bytes:
        raise PermissionError(13, "denied")

    def take() -> ProcessCensus:
        with monkeypatch.context() as patched:
            patched.setattr(os, "geteuid", lambda: owner)
            patched.setattr(os, "readlink", denied)
            patched.setattr(processes, "PROC", os.fsencode(proc))
            return held_by_processes([DIGEST], os.fsencode(proc))

    (proc / "self").symlink_to("77")
    (proc / "77/uid_map").write_text("         0          0 4294967295\n")
    return take


def test_a_process_of_ours_that_cannot_be_read_stops_the_collection(
    census: Callable[[], ProcessCensus],
) -> None:
    with pytest.raises(ProcessUnreadable, match="process 77"):
        census()


def test_a_process_outside_our_user_namespace_is_counted_and_passed_over(
    census: Callable[[], ProcessCensus], proc: Path
) -> None:
    (proc / "77/uid_map").write_text("      1000       1000          1\n")
    assert census().unseen == 1


def test_a_process_with_capabilities_we_lack_is_counted_and_passed_over(
    census: Callable[[], ProcessCensus], proc: Path
) -> None:
    (proc / "self").unlink()
    (proc / "self").mkdir()
    (proc / "self/status").write_text("CapPrm:\t0000000000000001\n")
    (proc / "self/uid_map").write_text("         0          0 4294967295\n")
    (proc / "77/status").write_text("CapPrm:\t0000000000002001\n")
    assert census().unseen == 1


def test_a_process_of_another_user_is_counted_and_passed_over(
    census: Callable[[], ProcessCensus], proc: Path
) -> None:
    if os.geteuid():
        (proc / "77/fd").rmdir()
        (proc / "77/fd").symlink_to("/proc/1")
    else:
        os.chown(proc / "77/fd", 1, 1)
    assert census().unseen == 1


def test_what_is_mapped_and_no_longer_open_is_held(tmp_path: Path) -> None:
    library = tmp_path / DIGEST.decode() / "library"
    library.parent.mkdir()
    library.write_bytes(b"x" * 4096)
    # PROT_READ, MAP_PRIVATE; mmap of Python keeps a descriptor open. What are its words is not looked at.
    script = (
        "import ctypes, os, sys\n"
        "place = os.open(sys.argv[1], os.O_RDONLY)\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.mmap.restype = ctypes.c_void_p\n"
        "libc.mmap(None, ctypes.c_size_t(4096), 1, 2, place, ctypes.c_long(0))\n"
        "os.close(place)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        held = held_by_processes([DIGEST]).held
        child.communicate()
    assert held == {DIGEST: b"/proc/%d/maps" % child.pid}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of root's to be refused")
def test_to_root_an_unreadable_process_of_roots_is_one_that_it_may_not_read(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container root lacks capabilities that root outside has, whose processes look like its own."""

    def denied(_: bytes) -> bytes:
        raise PermissionError(13, "denied")

    os.chown(proc / "77/fd", 0, 0)
    (proc / "self").symlink_to("77")
    (proc / "77/uid_map").write_text("         0          0 4294967295\n")
    with monkeypatch.context() as patched:
        patched.setattr(os, "readlink", denied)
        patched.setattr(processes, "PROC", os.fsencode(proc))
        assert held_by_processes([DIGEST], os.fsencode(proc)).unseen == 1


@pytest.mark.parametrize("gone", [errno.ENOENT, errno.ESRCH])
def test_a_process_that_ends_while_it_is_asked_whose_it_is_keeps_nothing(
    proc: Path, monkeypatch: pytest.MonkeyPatch, gone: int
) -> None:
    """An ordinary user's collection ended in an error then: read(2) of a dead process's file is ESRCH."""
    (proc / "77/fd").mkdir(exist_ok=True)

    def ended(path: bytes) -> bytes:
        raise OSError(gone, os.strerror(gone), path)

    def refused(path: bytes) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(processes, "_read", ended)
    monkeypatch.setattr(processes, "target_of", refused)
    assert held_by_processes([DIGEST], os.fsencode(proc)).held == {}


def test_a_process_that_was_refused_in_a_moment_of_change_is_read_again(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (proc / "77/environ").write_bytes(b"TOOL=" + DIGEST)
    look_at, asked = processes._look_at, []

    def changing(process: bytes, *rest: Any) -> bool:
        asked.append(process)
        if len(asked) == 1:
            raise ProcessUnreadable(process, 13)
        return look_at(process, *rest)

    monkeypatch.setattr(processes, "_look_at", changing)
    assert held_by_processes([DIGEST], os.fsencode(proc)).held == {DIGEST: os.fsencode(proc / "77/environ")}
