import os
from pathlib import Path

from denizen.file_placement import place


def test_a_missing_execute_bit_is_told_apart_from_a_mount(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"x")
    file.chmod(0o644)
    assert not place(os.fsencode(file)).executable
    file.chmod(0o755)
    assert place(os.fsencode(file)).executable


def test_proc_is_a_noexec_mount() -> None:
    assert place(b"/proc/self/status").noexec is bool(os.statvfs("/proc").f_flag & os.ST_NOEXEC)
