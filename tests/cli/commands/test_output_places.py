"""Where a command writes a file that the user names: never in place of a device or a pipe."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from denizen.app.exports import atomic_output
from denizen.app.exports.atomic_output import staged_file
from denizen.cli.dispatch import dispatch
from denizen.disk import write_atomically
from denizen.output_place import IsDirectory, NotReplaced, OutputNotPermitted, check_output_file
from denizen.store.errors import DiskFailed


def test_a_file_a_link_to_one_and_nothing_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("file", "link", "dangling", "nothing"):
        check_output_file(os.fsencode(tmp_path / name))


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full", "pipe", "to device", "socket"])
def test_a_device_a_pipe_and_a_socket_may_not(
    short_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(short_path / "pipe")
    (short_path / "to device").symlink_to("/dev/null")
    # Even where nothing can be made in the directory: that is not what is wrong.
    monkeypatch.setattr(os, "access", lambda *_, **_named: False)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(short_path / "socket"))
        with pytest.raises(NotReplaced):
            check_output_file(os.fsencode(short_path / name))


@pytest.mark.parametrize(
    "name", ["/dev/fd/{fd}", "/proc/self/fd/{fd}", "stdout", "chain", "/proc/version", "/proc/self/fd/no"]
)
def test_the_kernels_links_to_open_files_may_not(tmp_path: Path, name: str) -> None:
    # To a file: what it leads to could be replaced, but is not what is meant.
    with (tmp_path / "file").open("w") as stream:
        (tmp_path / "stdout").symlink_to(f"/proc/self/fd/{stream.fileno()}")
        (tmp_path / "chain").symlink_to("stdout")
        with pytest.raises(NotReplaced):
            check_output_file(os.fsencode(tmp_path / name.format(fd=stream.fileno())))


def test_links_in_a_circle_are_no_way_into_proc(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    check_output_file(os.fsencode(tmp_path / "circle"))


@pytest.mark.parametrize(
    "words",
    [
        ("lock", "--offline", "{program}", "-o", "{pipe}"),
        ("sbom", "{program}", "-o", "{pipe}"),
        ("patch", "{program}", "--rpath", "/x", "-o", "{pipe}"),
        ("bundle", "--offline", "{program}", "-o", "{pipe}"),
    ],
)
def test_a_pipe_stays_one(tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    pipe, program = tmp_path / "pipe", Path("/bin/true")
    os.mkfifo(pipe)
    given = [word.format(program=program, pipe=pipe) for word in words]
    assert dispatch(["--root", str(tmp_path / "root"), *given]) == 125
    assert f"{pipe} is not replaced by a file" in capsys.readouterr().err
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    "words",
    [
        ("lock", "--offline", "{program}", "-o"),
        ("sbom", "--offline", "{program}", "-o"),
        ("patch", "{program}", "--rpath", "/x", "-o"),
        ("bundle", "--offline", "{program}", "-o"),
        ("bundle", "--offline", "--app", "{program}", "-o"),
        *(("export", "--offline", "{program}", form) for form in ("--oci", "--tar", "--squashfs", "--deb")),
    ],
)
def test_a_file_in_no_directory_is_refused_by_its_own_name(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(program="/bin/true") for word in words]
    place = tmp_path / "no where" / "file.tar"
    assert dispatch(["--root", str(tmp_path / "root"), *given, str(place)]) == 125
    said = capsys.readouterr().err
    assert f"{place} cannot be written" in said
    assert f"mkdir -p '{place.parent}'" in said
    assert "tmp" not in said.replace(str(tmp_path), "")
    assert not place.parent.exists()


def test_a_directory_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("directory")
    with pytest.raises(IsDirectory):
        check_output_file(os.fsencode(tmp_path / "directory"))
    check_output_file(os.fsencode(tmp_path / "link"))


@pytest.mark.parametrize("refused", [os.W_OK, os.X_OK])
@pytest.mark.parametrize(
    ("flags", "reason"), [(0, "Permission denied"), (os.ST_RDONLY, "Read-only file system")]
)
def test_a_directory_that_nothing_can_be_made_in_is_refused_at_once(
    tmp_path: Path, refused: int, flags: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write to any directory, so the kernel's answers are not asked for.
    own = os.fsencode(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode, **_: path != own or not mode & refused)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))
    with pytest.raises(OutputNotPermitted) as raised:
        check_output_file(own + b"/file")
    assert raised.value.why == f"no file can be made in {tmp_path}: {reason}"


def test_a_file_whose_writing_fails_is_named_and_not_the_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent/file") as failed:
        write_atomically(os.fsencode(tmp_path / "absent" / "file"), b"")
    assert failed.value.filename == os.fsencode(tmp_path / "absent" / "file")


def test_what_is_exported_is_not_written_through_a_planted_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious, target = tmp_path / "precious", tmp_path / "image.tar"
    precious.write_text("kept")
    (tmp_path / "guessed").symlink_to(precious)
    monkeypatch.setattr(atomic_output, "temporary_name", lambda _: bytes(tmp_path / "guessed"))
    with pytest.raises(DiskFailed), staged_file(os.fsencode(target)) as stream:
        stream.write(b"image")
    assert precious.read_text() == "kept"
    os.mkfifo(target)
    with pytest.raises(NotReplaced), staged_file(os.fsencode(target)):
        pass
