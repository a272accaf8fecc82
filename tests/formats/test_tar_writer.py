"""Tar archives that are written: read by denizen's own reader, and by tar."""

import io
import subprocess
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.file_tree import Directory, Entry, File, Symlink
from denizen.formats.stream import ByteSource
from denizen.formats.tar import MemberKind, members
from denizen.formats.tar_writer import write_tar


def written(entries: list[Entry], **options: object) -> bytes:
    parts: list[bytes] = []
    write_tar(entries, parts.append, **options)  # type: ignore[arg-type]  # of either option's type
    return b"".join(parts)


def listed(archive: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        return found.getmembers()


def file(path: bytes, content: bytes, *, executable: bool = False) -> File:
    return File(path, executable=executable, size=len(content), content=(content[:3], content[3:]))


def test_members_are_roots_with_one_time() -> None:
    archive = written(
        [Directory(b""), Directory(b"d"), file(b"d/f", b"content", executable=True), Symlink(b"d/l", b"f")]
    )
    found = listed(archive)
    assert [(one.name, one.mode, one.uid, one.gid, one.mtime) for one in found] == [
        ("d", 0o755, 0, 0, 1),
        ("d/f", 0o755, 0, 0, 1),
        ("d/l", 0o777, 0, 0, 1),
    ]
    assert len(archive) % 10240 == 0


def test_a_mode_of_a_path_is_kept_and_a_prefix_put_before() -> None:
    archive = written([Directory(b"tmp")], prefix=b"./", modes={b"tmp": 0o1777})
    (one,) = listed(archive)
    assert (one.name, one.mode) == ("./tmp", 0o1777)


_NAME = st.binary(min_size=1, max_size=200).filter(
    lambda name: not {0, 47} & {*name} and name not in (b".", b"..")
)


@given(st.dictionaries(_NAME, st.binary(max_size=1500), max_size=6))
def test_any_names_and_contents_are_read_back(contents: dict[bytes, bytes]) -> None:
    archive = written([file(name, text) for name, text in contents.items()])
    found = {
        one.name: b"".join(map(bytes, one.content))
        for one in members(ByteSource(io.BytesIO(archive)))
        if one.kind is MemberKind.FILE
    }
    assert found == contents


def test_tar_lists_long_names_and_links() -> None:
    name, target = b"n" * 150 + b"/" + b"m" * 150, b"t" * 300
    archive = written([Directory(b"n" * 150), Symlink(name, target)])
    done = subprocess.run(["tar", "-tvf", "-"], input=archive, capture_output=True, check=True)
    assert name + b" -> " + target in done.stdout
