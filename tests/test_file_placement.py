import os
import subprocess
import sys
from pathlib import Path

from denizen.file_placement import place
from tests.support.seccomp import FACCESSAT2, refusing, under_filter


def test_a_missing_execute_bit_is_told_apart_from_a_mount(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"x")
    file.chmod(0o644)
    assert not place(os.fsencode(file)).executable
    file.chmod(0o755)
    assert place(os.fsencode(file)).executable


def test_proc_is_a_noexec_mount() -> None:
    assert place(b"/proc/self/status").noexec is bool(os.statvfs("/proc").f_flag & os.ST_NOEXEC)


def test_a_filter_that_refuses_faccessat2_is_not_taken_for_the_files_permissions() -> None:
    """Docker's before 20.10: every file seemed to be one that this user may not read."""
    script = "from denizen.file_placement import place; print(place(b'/bin/sh'))"
    command = under_filter(refusing(FACCESSAT2), [sys.executable, "-c", script])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "executable=True, readable=True" in done.stdout
