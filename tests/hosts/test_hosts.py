"""The hosts that tests make do lack what they say."""

import os
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, OTHER_UID, Host, HostDirectories
from tests.support.python_prefix import PREFIX

pytestmark = [pytest.mark.peer, pytest.mark.slow]
_ROOTS = [name for name in HOSTS if name not in ("as it is", "env -i", "read-only root")]
_INTERPRETER = f"{PREFIX}/bin/python3"
_PYTHON = "import ctypes, errno, os, sys; libc = ctypes.CDLL(None, use_errno=True); "
_UNSHARE = _PYTHON + "print(libc.unshare(0x10000000) and errno.errorcode[ctypes.get_errno()])"


def python(host: Host, code: str) -> str:
    """What Python, as denizen is run by on that host, prints."""
    outcome = host.run([host.interpreter, "-c", code])
    assert (outcome.status, outcome.err) == (0, "")
    return outcome.out.strip()


@pytest.mark.parametrize("name", HOSTS)
def test_denizen_starts_on_each(name: str, directories: HostDirectories) -> None:
    host = HOSTS[name](directories)
    outcome = host.run([*host.python, "--version"])
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("denizen ")


@pytest.mark.parametrize("name", _ROOTS)
def test_a_made_root_holds_nothing_else(name: str, directories: HostDirectories) -> None:
    shown = python(HOSTS[name](directories), "import os; print(*sorted(os.listdir('/')))")
    assert shown == "denizen denizen-python denizen-sources dev proc programs tmp work"


@pytest.mark.parametrize("name", _ROOTS)
def test_a_foreign_program_dies_there(name: str, directories: HostDirectories) -> None:
    program = directories.programs / "true"
    program.write_bytes(Path(os.path.realpath("/bin/true")).read_bytes())
    program.chmod(0o755)
    code = "import os; os.execv('/programs/true', ['true'])"
    outcome = HOSTS[name](directories).run([_INTERPRETER, "-c", code])
    assert outcome.status == 1
    assert "FileNotFoundError: [Errno 2] No such file or directory" in outcome.err


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("bare root", "0"),
        ("no user namespaces", "ENOSPC"),
        ("container", "EPERM"),
        ("another uid", "0"),
    ],
)
def test_user_namespaces(name: str, answer: str, directories: HostDirectories) -> None:
    assert python(HOSTS[name](directories), _UNSHARE) == answer


@pytest.mark.parametrize("name", ["no user namespaces", "container"])
def test_where_namespaces_are_forbidden_mounts_are_too(name: str, directories: HostDirectories) -> None:
    code = _PYTHON + "print(libc.unshare(0x20000), libc.mount(None, b'/', None, 1 << 18, None))"
    assert python(HOSTS[name](directories), code) == "-1 -1"


def test_nothing_on_a_noexec_tmp_is_executed(directories: HostDirectories) -> None:
    code = f"import shutil, subprocess; shutil.copy('{_INTERPRETER}', '/tmp/p'); subprocess.run(['/tmp/p'])"
    host = HOSTS["noexec /tmp"](directories)
    outcome = host.run([_INTERPRETER, "-c", code])
    assert "PermissionError: [Errno 13]" in outcome.err


def test_a_read_only_store_cannot_be_written(directories: HostDirectories) -> None:
    outcome = HOSTS["read-only store"](directories).run([_INTERPRETER, "-c", "open('/denizen/x', 'w')"])
    assert "Read-only file system" in outcome.err


def test_a_read_only_root_can_be_written_only_where_denizen_keeps_things(
    directories: HostDirectories,
) -> None:
    host = HOSTS["read-only root"](directories)
    for place in ("/x", "/usr/x", "/etc/x", "/var/x"):
        outcome = host.run([host.interpreter, "-c", f"open('{place}', 'w')"])
        assert "Read-only file system" in outcome.err
    code = f"import os; open('{directories.root}/x', 'w'); open('/tmp/x', 'w'); print(os.getuid())"
    assert python(host, code) == "1000"


def test_no_network_has_only_a_loopback(directories: HostDirectories) -> None:
    shown = python(
        HOSTS["no network"](directories), "import socket; print([n for _, n in socket.if_nameindex()])"
    )
    assert shown == "['lo']"


def test_another_uid_is_another_one_outside_too(directories: HostDirectories) -> None:
    host = HOSTS["another uid"](directories)
    assert python(host, "import os; open('/work/x', 'w'); print(os.getuid())") == str(OTHER_UID)
    assert (directories.work / "x").stat().st_uid == OTHER_UID


def test_env_i_gives_nothing(directories: HostDirectories) -> None:
    shown = python(HOSTS["env -i"](directories), "import os; print(dict(os.environ))")
    # Python itself sets LC_CTYPE when it takes the C locale for UTF-8 (PEP 538).
    assert shown in ("{}", "{'LC_CTYPE': 'C.UTF-8'}")


def test_how_it_ended_is_told(directories: HostDirectories) -> None:
    host = HOSTS["as it is"](directories)
    ended = host.run(["/bin/sh", "-c", "cat; echo said >&2; exit 3"], stdin=b"given")
    assert (ended.status, ended.out, ended.err) == (3, "given", "said\n")
    assert host.run(["/bin/sh", "-c", "kill -9 $$"]).status == 137
    assert host.run(["/bin/sleep", "60"], timeout=0.2).status is None
