import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from denizen.formats.ar import BadAr
from denizen.process_pool import HelperDied, Helpers
from tests.support.processes import open_files

pytestmark = pytest.mark.usefixtures("alone")


def double(message: tuple[int]) -> int:
    return message[0] * 2


def who(_: tuple[()]) -> int:
    return os.getpid()


def malformed(_: tuple[()]) -> int:
    raise BadAr(7, "it does not end")


def for_ever(_: tuple[()]) -> int:
    while True:
        time.sleep(1)


def silent(_: tuple[()]) -> int:
    os.closerange(3, 256)
    return for_ever(_)


def test_helpers_answer_in_processes_of_their_own() -> None:
    with Helpers(who, 2) as helpers, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: helpers.do("tell", ()), range(40)))
    assert os.getpid() not in answers
    assert 1 <= len(set(answers)) <= 2


def test_what_the_work_raises_is_raised_with_its_fields() -> None:
    with Helpers(malformed, 1) as helpers, pytest.raises(BadAr) as caught:
        helpers.do("read", ())
    assert (caught.value.offset, caught.value.reason) == (7, "it does not end")


def test_a_helper_that_is_killed_is_an_error_that_says_so() -> None:
    with Helpers(who, 1) as helpers:
        os.kill(helpers.do("tell", ()), signal.SIGKILL)
        for _ in range(2):  # and again: nobody waits for the dead
            with pytest.raises(HelperDied, match=r"unpack x\.deb has ended: it was killed by SIGKILL"):
                helpers.do("unpack x.deb", ())


def test_what_never_reaches_a_helper_is_not_waited_for() -> None:
    with Helpers(who, 1) as helpers, pytest.raises(HelperDied):
        helpers.do("carry what marshal cannot", (object(),))


def test_a_helper_whose_answers_end_while_it_lives_is_not_waited_for() -> None:
    """As a failed read seems to Python up to 3.11.2."""
    with Helpers(silent, 1) as helpers, pytest.raises(HelperDied, match="SIGKILL"):
        helpers.do("wait", ())


def test_a_helper_that_ends_by_itself_keeps_its_status() -> None:
    with Helpers(os._exit, 1) as helpers, pytest.raises(HelperDied, match="its exit status is 7"):
        helpers.do("exit", 7)  # type: ignore[arg-type]  # whatever marshal takes


def test_closing_ends_what_is_being_done() -> None:
    helpers = Helpers(for_ever, 1)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(helpers.do, "wait", ())
        time.sleep(0.05)
        helpers.close()
        with pytest.raises(HelperDied):
            future.result()


def test_ctrl_c_does_not_reach_a_helper() -> None:
    with Helpers(who, 1) as helpers:
        first = helpers.do("tell", ())
        os.kill(first, signal.SIGINT)
        assert helpers.do("tell", ()) == first


def test_beside_other_threads_the_work_is_done_here() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        with Helpers(who, 2) as helpers:
            assert not helpers.are_processes
            assert helpers.do("tell", ()) == os.getpid()
    finally:
        done.set()
        other.join()


def test_where_no_process_can_be_started_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    before = open_files()
    with Helpers(double, 3) as helpers, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda n: helpers.do("double", (n,)), range(9))) == list(range(0, 18, 2))
    assert open_files() <= before


def test_nothing_is_left_open_and_no_process_either() -> None:
    before = open_files()
    with Helpers(who, 2) as helpers:
        process = helpers.do("tell", ())
    assert open_files() <= before
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_helpers_end_after_their_parent_was_killed() -> None:
    program = (
        "import os, sys, time; from denizen.process_pool import Helpers\n"
        "helpers = Helpers(lambda _: os.getpid(), 2)\n"
        "first, second = helpers._idle.get(), helpers._idle.get()\n"
        "print(first.process, second.process, flush=True); time.sleep(60)\n"
    )
    # They hold the pipe that is read here: its end is theirs.
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = parent.stdout.readline().split()
        assert len(pids) == 2
        parent.kill()
        assert parent.stdout.read() == ""
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in pids)


def test_an_interruption_in_what_python_calls_at_a_fork_is_not_lost() -> None:
    code = """
import os, signal
from denizen.process_pool import Helpers
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    Helpers(len, 1)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
