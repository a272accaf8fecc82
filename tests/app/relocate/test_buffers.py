"""A changed file is written whole wherever an edge of a piece falls, however little is written at once."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denizen.app.relocate import rewrite_file

_NOWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
_PARTS = st.lists(st.binary(max_size=40), max_size=12)


@pytest.fixture
def descriptor(tmp_path: Path) -> int:
    return os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)


@_NOWHERE
@given(parts=_PARTS, piece=st.integers(1, 40), many=st.integers(1, 5), most=st.integers(1, 90))
def test_parts_are_written_one_after_the_other(
    descriptor: int, parts: list[bytes], piece: int, many: int, most: int
) -> None:
    """A system call may write less than it was given, as on a full disk or a signal."""
    write, writev = os.write, os.writev
    _empty(descriptor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite_file, "_PIECE", piece)
        patch.setattr(rewrite_file, "_MANY", many)
        patch.setattr(os, "write", lambda to, part: write(to, part[:most]))
        patch.setattr(os, "writev", lambda to, group: writev(to, _first(group, most)))
        rewrite_file._write_all(descriptor, list(parts))
    assert _content(descriptor) == b"".join(parts)


@_NOWHERE
@given(
    parts=st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 60).map(bytes)), max_size=8),
    piece=st.integers(1, 40),
    sparse=st.booleans(),
)
def test_zeros_that_are_left_out_are_zeros(
    descriptor: int, parts: list[bytes], piece: int, *, sparse: bool
) -> None:
    content = b"".join(parts)
    _empty(descriptor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite_file, "_PIECE", piece)
        rewrite_file._write_content(descriptor, content, sparse=sparse)
    assert _content(descriptor) == content


@_NOWHERE
@given(old=st.binary(max_size=90), new=st.binary(max_size=90), piece=st.integers(1, 40))
def test_a_file_with_several_names_gets_the_whole_content(
    descriptor: int, old: bytes, new: bytes, piece: int
) -> None:
    source = os.memfd_create("new")
    os.write(source, new)
    _empty(descriptor)
    os.write(descriptor, old)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite_file, "_PIECE", piece)
        rewrite_file._overwrite(source, descriptor)
    os.close(source)
    assert _content(descriptor) == new


def _first(parts: list[bytes], size: int) -> list[bytes]:
    """Return the first bytes of the parts, at least one of each call."""
    return [b"".join(parts)[:size]]


def _empty(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size + 1, 0)
