"""Where a command writes a file that the user names: never in place of a device or a pipe."""

import os
from pathlib import Path

import pytest

from denizen.app.exports.atomic_output import staged_file
from denizen.cli.dispatch import dispatch
from denizen.disk import NotReplaced, check_replaceable
from denizen.store.errors import DiskFailed


def test_a_file_a_link_to_one_and_nothing_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("file", "link", "dangling", "nothing"):
        check_replaceable(os.fsencode(tmp_path / name))


def test_a_device_a_pipe_and_the_kernels_links_may_not(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    with (tmp_path / "file").open("w") as stream:
        (tmp_path / "stdout").symlink_to(f"/proc/self/fd/{stream.fileno()}")
        for name in (
            "/dev/null",
            "/dev/full",
            *(str(tmp_path / one) for one in ("pipe", "device", "stdout")),
        ):
            with pytest.raises(NotReplaced):
                check_replaceable(os.fsencode(name))


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


def test_what_is_exported_is_not_written_through_a_planted_link(tmp_path: Path) -> None:
    precious, target = tmp_path / "precious", tmp_path / "image.tar"
    precious.write_text("kept")
    (tmp_path / f"image.tar.{os.getpid()}.tmp").symlink_to(precious)
    with pytest.raises(DiskFailed), staged_file(os.fsencode(target)) as stream:
        stream.write(b"image")
    assert precious.read_text() == "kept"
    os.mkfifo(target)
    with pytest.raises(NotReplaced), staged_file(os.fsencode(target)):
        pass
