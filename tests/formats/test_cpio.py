import subprocess
from pathlib import Path

import pytest

from denizen.formats.cpio import CpioEntry, write_cpio
from denizen.formats.file_tree import Directory, File, Symlink
from tests.support.peers import require

ENTRIES = (
    Directory(b"a"),
    CpioEntry(File(b"a/x", executable=False, size=5, content=(b"he", b"llo")), 0o640),
    File(b"a/run", executable=True, size=0, content=()),
    Symlink(b"a/link", b"../a/x"),
)


def test_an_archive_is_made_of_aligned_headers() -> None:
    data = b"".join(map(bytes, write_cpio(ENTRIES)))
    assert len(data) % 4 == 0
    assert data.count(b"070701") == 5
    assert data[14:22] == b"000041ED"
    assert b"TRAILER!!!\0" in data


@pytest.mark.peer
def test_busybox_unpacks_it(tmp_path: Path) -> None:
    require("busybox")
    data = b"".join(map(bytes, write_cpio(ENTRIES)))
    subprocess.run(
        ["busybox", "cpio", "-idm"], input=data, cwd=tmp_path, check=True, stderr=subprocess.DEVNULL
    )
    place = tmp_path / "a" / "x"
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("hello", 0o640)
    assert (tmp_path / "a" / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "link").read_text() == "hello"
