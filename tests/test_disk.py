"""Files of this machine: what is opened as a file is one, and what is written replaces the old at once."""

import os
import socket
from pathlib import Path

import pytest

from denizen.disk import content_or_empty, open_regular, write_atomically


def test_a_file_is_opened_and_waits_for_nobody(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"content")
    with open(place, "rb", opener=open_regular) as stream:
        assert stream.read() == b"content"
        assert not os.get_inheritable(stream.fileno())


def test_a_pipe_a_socket_and_a_device_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    before = set(os.listdir("/proc/self/fd"))
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a file") as caught, open(path, "rb", opener=open_regular):
            pass
        assert caught.value.filename == os.fspath(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(tmp_path / "socket"))
        with pytest.raises(OSError), open(tmp_path / "socket", "rb", opener=open_regular):  # noqa: PT011  # ENXIO
            pass
    with pytest.raises(IsADirectoryError), open(tmp_path, "rb", opener=open_regular):
        pass
    assert set(os.listdir("/proc/self/fd")) == before


def test_what_cannot_be_written_is_named_as_the_caller_named_it(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    for place in (tmp_path / "absent" / "file", tmp_path / "directory"):
        with pytest.raises(OSError) as caught:  # noqa: PT011  # ENOENT, EISDIR
            write_atomically(str(place), b"content")
        assert (caught.value.filename, caught.value.filename2) == (os.fsencode(place), None)
    assert sorted(os.listdir(tmp_path)) == ["directory"]


def test_a_file_that_is_not_there_has_no_content(tmp_path: Path) -> None:
    place = tmp_path / "file"
    assert content_or_empty(str(place), 3) == b""
    place.write_text("words")
    assert content_or_empty(str(place), 3) == b"wor"
    with pytest.raises(IsADirectoryError):
        content_or_empty(str(tmp_path), 3)
