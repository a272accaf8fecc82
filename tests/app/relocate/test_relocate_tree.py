"""Whole trees for another prefix: links, hard links, read-only directories, compiled Python, what is left."""

import errno
import gzip
import os
import py_compile
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.app.relocate.relocate_tree import (
    BadPrefix,
    NestedPrefix,
    NoTree,
    RelocatedTree,
    TreeRequest,
    relocate_tree,
)
from denizen.app.relocate.store_guard import InStore
from denizen.relocate.prefix import Prefix
from denizen.store.local import Store

OLD, NEW = b"/opt/app", b"/home/somebody/app"


def relocated(tree: Path, old: bytes = OLD, new: bytes = NEW, **rest: bool) -> RelocatedTree:
    return relocate_tree(TreeRequest(os.fsencode(tree), Prefix(old, new), **rest))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    (top / "bin").mkdir(parents=True)
    (top / "share").mkdir()
    (top / "bin" / "run").write_text("#!/opt/app/bin/interpreter\n")
    (top / "bin" / "run").chmod(0o755)
    (top / "bin" / "link").symlink_to("/opt/app/bin/run")
    (top / "bin" / "beside").symlink_to("run")
    (top / "share" / "data").write_bytes(b"\0\1/usr/share\0")
    return top


def test_links_and_files_are_changed_and_all_else_stays(tree: Path) -> None:
    before = (tree / "bin" / "run").stat()
    done = relocated(tree)
    assert {entry.path: entry.ways for entry in done.entries} == {
        b"bin/link": ("link target",), b"bin/run": ("text",),
    }  # fmt: skip
    assert (tree / "bin" / "run").read_bytes() == b"#!/home/somebody/app/bin/interpreter\n"
    assert os.readlink(tree / "bin" / "link") == "/home/somebody/app/bin/run"
    assert os.readlink(tree / "bin" / "beside") == "run"
    after = (tree / "bin" / "run").stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert relocated(tree).entries == ()


def test_a_plan_writes_nothing(tree: Path) -> None:
    assert len(relocated(tree, only_plan=True).entries) == 2
    assert (tree / "bin" / "run").read_bytes() == b"#!/opt/app/bin/interpreter\n"
    assert os.readlink(tree / "bin" / "link") == "/opt/app/bin/run"


def test_links_can_become_relative(tree: Path) -> None:
    relocated(tree, relative=True)
    assert os.readlink(tree / "bin" / "link") == "run"


def test_a_file_with_two_names_is_changed_once_and_stays_one(tree: Path) -> None:
    (tree / "share" / "other").hardlink_to(tree / "bin" / "run")
    done = relocated(tree)
    assert len(done.entries) == 2
    assert (tree / "share" / "other").samefile(tree / "bin" / "run")
    assert b"/home/somebody" in (tree / "share" / "other").read_bytes()


def test_read_only_directories_are_read_only_afterwards(tree: Path) -> None:
    """A store's objects are so."""
    (tree / "bin" / "run").chmod(0o555)
    (tree / "bin").chmod(0o555)
    os.utime(tree / "bin", (1, 1))
    relocated(tree)
    facts = (tree / "bin").stat()
    assert (stat.S_IMODE(facts.st_mode), facts.st_mtime) == (0o555, 1)
    assert b"/home/somebody" in (tree / "bin" / "run").read_bytes()


@pytest.mark.parametrize("mode", ["TIMESTAMP", "CHECKED_HASH", "UNCHECKED_HASH"])
def test_compiled_python_stays_valid_beside_its_source(tree: Path, mode: str) -> None:
    """Its header tells of the source: else Python would compile it at each start, and store it nowhere."""
    source = tree / "share" / "module.py"
    source.write_text("print('/opt/app/share', __cached__)\n")
    validity = py_compile.PycInvalidationMode[mode]
    py_compile.compile(
        str(source), dfile="/opt/app/share/module.py", doraise=True, invalidation_mode=validity
    )
    relocated(tree)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import module; print(module.__spec__.loader.path)"
    traced = subprocess.run(
        [sys.executable, "-v", "-B", "-c", code, source.parent], capture_output=True, text=True, check=True
    )
    assert "/home/somebody/app/share" in traced.stdout
    assert "matches" in next(line for line in traced.stderr.splitlines() if "module.cpython" in line)


def test_a_file_outside_of_the_tree_with_the_same_content_stays(tree: Path, tmp_path: Path) -> None:
    """uv links files from its cache into environments; names within the tree stay one file."""
    outside, other = tmp_path / "cache", tree / "share" / "other"
    outside.hardlink_to(tree / "bin" / "run")
    other.hardlink_to(outside)
    other.parent.chmod(0o555)
    before = outside.read_bytes()
    done = relocated(tree)
    assert outside.read_bytes() == before
    assert other.samefile(tree / "bin" / "run")
    assert b"/home/somebody/app" in other.read_bytes()
    assert stat.S_IMODE(other.parent.stat().st_mode) == 0o555
    told = [one.remarks for one in done.entries if one.path == b"bin/run"]
    assert [len(remarks) for remarks in told] == [1]


def test_holes_of_a_file_stay(tree: Path) -> None:
    image = tree / "image"
    with image.open("wb") as stream:
        stream.write(b"\0/opt/app/one\0")
        stream.truncate(40 << 20)
    before = image.stat().st_blocks
    relocated(tree, new=b"/opt/new")
    assert (image.stat().st_size, image.read_bytes()[:14]) == (40 << 20, b"\0/opt/new/one\0")
    # A file system without holes has none to keep.
    assert image.stat().st_blocks <= max(before, 1 << 11) or before >= (40 << 20) // 512


@pytest.mark.parametrize("link", ["directory", "file"])
def test_compiled_python_outside_of_the_tree_stays_as_it_is(tree: Path, tmp_path: Path, link: str) -> None:
    """Nor does a pipe among the compiled files hang it."""
    source, outside = tree / "share" / "module.py", tmp_path / "outside"
    source.write_text("print('/opt/app/share')\n")
    outside.mkdir()
    compiled = outside / f"module.{sys.implementation.cache_tag}.pyc"
    py_compile.compile(str(source), str(compiled), doraise=True)
    (outside / "another-name").hardlink_to(compiled)
    os.mkfifo(outside / "module.pipe.pyc")
    before = compiled.read_bytes()
    cache = source.parent / "__pycache__"
    if link == "directory":
        cache.symlink_to(outside)
    else:
        cache.mkdir()
        (cache / compiled.name).symlink_to(compiled)
        os.mkfifo(cache / "module.pipe.pyc")
    relocated(tree)
    assert b"/home/somebody/app" in source.read_bytes()
    assert compiled.read_bytes() == before


def test_compressed_files_that_mention_it_are_told(tree: Path) -> None:
    (tree / "share" / "page.1.gz").write_bytes(gzip.compress(b"see /opt/app/share\n"))
    (tree / "share" / "other.1.gz").write_bytes(gzip.compress(b"see /usr/share\n"))
    done = relocated(tree)
    assert [(entry.path, len(entry.left)) for entry in done.entries if entry.left] == [
        (b"share/page.1.gz", 1)
    ]
    assert not done.is_complete


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"opt", b"/x"),
        (b"/opt/", b"/x"),
        (b"/opt/app", b"/opt/app/sub"),
        (b"/", b"/x"),
        (b"/a/../b", b"/x"),
        (b"/opt/app", b"/opt/app"),
        (b"/opt/app", b"/x\ny"),
    ],
)
def test_impossible_prefixes_are_refused(tree: Path, old: bytes, new: bytes) -> None:
    with pytest.raises(BadPrefix):
        relocated(tree, old, new)


def test_a_prefix_within_the_old_one_is_reached_by_two_steps(tree: Path) -> None:
    with pytest.raises(NestedPrefix) as raised:
        relocated(tree, b"/opt/app", b"/opt/app/v2")
    assert "elsewhere first" in raised.value.remedy
    relocated(tree, b"/opt/app", b"/elsewhere")
    relocated(tree, b"/elsewhere", b"/opt/app/v2")
    assert (tree / "bin" / "run").read_text() == "#!/opt/app/v2/bin/interpreter\n"
    assert os.readlink(tree / "bin" / "link") == "/opt/app/v2/bin/run"


def test_an_absent_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoTree):
        relocated(tmp_path / "absent")


def test_on_a_full_disk_the_file_that_found_no_room_is_named_and_what_to_do(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(NoTree) as raised:
            relocated(tree)
    assert os.fsencode(raised.value.path) in {os.fsencode(path) for path in before}
    assert "give the command again" in raised.value.remedy
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
    relocated(tree)


def test_a_store_is_not_changed(tmp_path: Path) -> None:
    """Its objects are registered with their hashes."""
    with Store.create(os.fsencode(tmp_path / "store")) as store, store.working() as work:
        (tmp_path / "script").write_text("#!/opt/app/bin/sh\n")
        info = work.add(os.fsencode(tmp_path / "script"), "script")
        place = store.place_of(info.path)
    for path in (tmp_path / "store", Path(os.fsdecode(place))):
        with pytest.raises(InStore):
            relocated(path)
        assert len(relocated(path, only_plan=True).entries) == 1
