"""Files of this machine: what is opened as a file is one, and what is written replaces the old at once."""

import errno
import os
import socket
from pathlib import Path

import pytest

from denizen.disk import (
    content_or_empty,
    link_atomically,
    open_regular,
    refuse_hollow,
    temporary_name,
    write_atomically,
)


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


def test_two_of_one_number_write_a_file_at_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As processes of two containers that share a directory do."""
    place, plain = bytes(tmp_path / "file"), os.fsync

    def meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", plain)
        write_atomically(place, b"the other's")
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    write_atomically(place, b"ours")
    assert (tmp_path / "file").read_bytes() == b"ours"
    assert os.listdir(tmp_path) == ["file"]


def test_two_of_one_number_make_a_link_at_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, plain = bytes(tmp_path / "link"), os.rename

    def meanwhile(old: bytes, new: bytes) -> None:
        monkeypatch.setattr(os, "rename", plain)
        link_atomically(place, b"the other's")
        plain(old, new)

    monkeypatch.setattr(os, "rename", meanwhile)
    link_atomically(place, b"ours")
    assert os.listdir(tmp_path) == ["link"]
    assert os.readlink(place) == b"ours"


def test_a_link_that_cannot_be_put_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    with pytest.raises(OSError):  # noqa: PT011  # EISDIR
        link_atomically(bytes(tmp_path / "link"), b"target")
    assert os.listdir(tmp_path) == ["link"]


def test_a_temporary_name_is_short_enough_hidden_and_beside() -> None:
    for path in (b"/a/" + b"n" * 255, b"/a/name/", b"/a/name"):
        directory, name = os.path.split(temporary_name(path))
        assert (directory, name[:2], name[-4:]) == (b"/a", b".n", b".tmp")
        assert len(name) < 255


def test_a_file_that_is_not_there_has_no_content(tmp_path: Path) -> None:
    place = tmp_path / "file"
    assert content_or_empty(str(place), 3) == b""
    place.write_text("words")
    assert content_or_empty(str(place), 3) == b"wor"
    with pytest.raises(IsADirectoryError):
        content_or_empty(str(tmp_path), 3)


def test_a_file_that_is_all_hole_is_refused_where_it_would_be_read_to_its_end(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"data" * 1024)
    for size, refused in ((1 << 30, True), (1 << 40, True), ((1 << 30) - 1, False)):
        os.truncate(place, size)
        with place.open("rb") as stream:
            caught = None
            try:
                refuse_hollow(stream.fileno(), bytes(place))
            except OSError as problem:
                caught = problem
            assert (caught is not None) == refused
            if caught is not None:
                assert (caught.errno, caught.filename) == (errno.EFBIG, bytes(place))
                assert f"of its {size:,} bytes all but" in str(caught)
            assert stream.tell() == os.lseek(stream.fileno(), 0, os.SEEK_CUR) == 0


def test_data_in_a_large_file_is_counted_where_the_file_system_compresses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of data may take few blocks; then lseek() knows."""
    monkeypatch.setattr("denizen.disk._HOLLOW_FROM", 1 << 20)
    place = tmp_path / "file"
    with place.open("wb") as stream:
        for at in range(0, 1 << 24, 1 << 20):
            stream.seek(at)
            stream.write(b"x" * 16384)
        stream.truncate(1 << 24)
    with place.open("rb") as stream:
        refuse_hollow(stream.fileno(), bytes(place))
        monkeypatch.setattr("denizen.disk.ST_BLOCK", 0)
        refuse_hollow(stream.fileno(), bytes(place))
        monkeypatch.setattr("denizen.disk._HOLLOW_PARTS", 2)
        with pytest.raises(OSError, match="are a hole"):
            refuse_hollow(stream.fileno(), bytes(place))
