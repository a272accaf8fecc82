"""Several processes that fetch the same files at once."""

import fcntl
import hashlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from denizen.sources.partial_file import held
from tests.support.faulty_server import Fault, Server

CONTENT = random.Random(2).randbytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
_FETCHER = """
import sys
from denizen.sources.fetch_policy import FetchPolicy
from denizen.sources.fetcher import Fetcher, FileRequest
from denizen.sources.transport import HttpSettings
url, place, size, *names = sys.argv[1:]
wanted = [FileRequest(name, (name,), (place + name).encode(), int(size), sha256)
    for name, sha256 in (word.split("=") for word in names)]
Fetcher([url], HttpSettings(read_timeout=20), FetchPolicy()).files(wanted)
"""
_HOLDER = """
import sys
from denizen.sources.partial_file import held
with held(sys.argv[1].encode(), lambda seconds: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def _started(code: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_each_file_is_fetched_by_one_and_had_by_all(tmp_path: Path) -> None:
    served, place = tmp_path / "served", tmp_path / "place"
    served.mkdir()
    place.mkdir()
    names = ["one", "two", "three"]
    contents = {name: random.Random(name).randbytes(len(CONTENT)) for name in names}
    for name, content in contents.items():
        (served / name).write_bytes(content)
    wanted = [f"{name}={hashlib.sha256(content).hexdigest()}" for name, content in contents.items()]
    with Server(served) as server:
        server.faults["one"] = [Fault(hang=0.5)]
        crowd = [_started(_FETCHER, server.url, f"{place}/", str(len(CONTENT)), *wanted) for _ in range(6)]
        for one in crowd:
            one.communicate(timeout=60)
        assert [one.returncode for one in crowd] == [0] * 6
        assert [server.asked(name) for name in names] == [[""]] * 3
    assert {name: (place / name).read_bytes() for name in names} == contents
    assert os.listdir(place / "partial") == []


def test_who_waits_goes_on_where_a_killed_one_was(tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    partial.write_bytes(b"so far")
    holder = _started(_HOLDER, os.fspath(partial))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            holder.send_signal(signal.SIGKILL)
            holder.communicate()

    with held(bytes(partial), wait):
        assert len(waited) == 3
        assert partial.read_bytes() == b"so far"
    assert partial.read_bytes() == b"so far"


def test_who_waits_for_a_file_that_got_its_name_holds_a_new_one(tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    with held(bytes(partial), lambda _: None):
        partial.write_bytes(CONTENT)
        other = os.open(partial, os.O_RDONLY)
        partial.rename(tmp_path / "whole")
        with held(bytes(partial), lambda _: None):
            assert partial.read_bytes() == b""
        os.close(other)
    assert os.listdir(tmp_path) == ["whole"]
    assert (tmp_path / "whole").read_bytes() == CONTENT


def test_who_waited_for_a_file_that_got_its_name_meanwhile_begins_a_new_one(tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    partial.write_bytes(CONTENT)
    other = os.open(partial, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    def finish(_: float) -> None:
        partial.rename(tmp_path / "whole")
        os.close(other)

    with held(bytes(partial), finish):
        assert partial.read_bytes() == b""
    assert (tmp_path / "whole").read_bytes() == CONTENT
