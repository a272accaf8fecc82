"""One suite over every FileView: the same tree, the same answers, errno included.

The tree exists once as values and once on disk. `DiskView` sees it at its real place, so paths and
absolute links carry a prefix there that is taken off the answers.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import posixpath
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.disk_view import DiskView, EnvironmentView, NotLookedAt, RootedView
from denizen.file_content import MAP_FROM
from denizen.fileview import Executable, FileKind, MemoryView, ViewLink

if TYPE_CHECKING:
    from denizen.fileview import Entry, FileView

TREE: dict[bytes, Entry] = {
    b"/etc/hosts": b"127.0.0.1\n",
    b"/etc/empty": b"",
    b"/bin/tool": Executable(b"#!/bin/sh\n"),
    b"/lib": ViewLink(b"usr/lib"),
    b"/usr/lib/libx.so.1": b"x" * 200_000,
    b"/usr/lib/libx.so": ViewLink(b"libx.so.1"),
    b"/usr/lib/up": ViewLink(b"../../etc/hosts"),
    b"/usr/lib/absolute": ViewLink(b"/etc/hosts"),
    b"/usr/lib/above": ViewLink(b"../../../../../etc/hosts"),
    b"/usr/lib/folder": ViewLink(b"/etc"),
    b"/usr/lib/dangling": ViewLink(b"nowhere"),
    b"/loop/a": ViewLink(b"b"),
    b"/loop/b": ViewLink(b"a"),
    b"/loop/self": ViewLink(b"self"),
    b"/loop/slash": ViewLink(b"/etc/hosts/"),
    b"/odd/\xff\xfe name": b"odd",
    b"/odd/" + b"n" * 255: b"long",
    b"/tmp/": b"",
    **{b"/chain/%d" % n: ViewLink(b"%d" % (n + 1)) for n in range(41)},
    b"/chain/41": b"end",
}  # fmt: skip

PATHS = (
    b"/", b"//", b"/.", b"/etc", b"/etc/", b"/etc/hosts", b"/etc/hosts/", b"/etc/hosts/.",
    b"/etc/hosts/..", b"/etc/hosts/x", b"/etc/../etc/hosts", b"/etc/nothing", b"/etc/nothing/",
    b"/nothing/..", b"/nothing/x", b"/etc/empty", b"/bin/tool", b"/lib", b"/lib/", b"/lib/.",
    b"/lib/libx.so", b"/lib/libx.so.1", b"/lib/libx.so/", b"/lib/..", b"/lib/../etc", b"/lib/up",
    b"/lib/absolute", b"/lib/absolute/", b"/lib/folder/hosts", b"/lib/folder/", b"/lib/dangling",
    b"/lib/dangling/", b"/lib/dangling/x", b"/loop/a", b"/loop/self", b"/loop/a/x", b"/loop/slash",
    b"/odd/\xff\xfe name", b"/odd/" + b"n" * 255, b"/odd/" + b"n" * 256, b"/tmp", b"/tmp/..",
    b"/chain/0", b"/chain/1", b"/chain/2", b"/" + b"a/" * 2100,
)  # fmt: skip
# What only holds below another root: at its real place the tree has something above it.
BELOW_A_ROOT = (b"/../etc/hosts", b"/lib/above")

METHODS = ("stat", "lstat", "readlink", "realpath", "listdir", "read")


class Shifted:
    """A view of a subtree at its real place, with the prefix put on and taken off."""

    def __init__(self, view: FileView, prefix: bytes) -> None:
        self._view = view
        self._prefix = prefix

    def __getattr__(self, method: str) -> Callable[[bytes], object]:
        def call(path: bytes) -> object:
            answer = getattr(self._view, method)(self._prefix + path)
            if isinstance(answer, bytes) and method in ("readlink", "realpath"):
                return answer.removeprefix(self._prefix) or b"/"
            return answer

        return call


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tree twice: with absolute links as they are, and with the prefix DiskView needs."""
    base = tmp_path_factory.mktemp("views").resolve()
    for name, prefix in (("rooted", b""), ("disk", os.fsencode(base / "disk"))):
        write_tree(base / name, TREE, prefix)
    return {"rooted": base / "rooted", "disk": base / "disk"}


def write_tree(root: Path, tree: dict[bytes, Entry], prefix: bytes) -> None:
    for path, entry in tree.items():
        place = os.fsencode(root) + path
        os.makedirs(place if path.endswith(b"/") else posixpath.dirname(place), exist_ok=True)
        match entry:
            case ViewLink(target):
                os.symlink(prefix + target if target.startswith(b"/") else target, place)
            case Executable(content):
                Path(os.fsdecode(place)).write_bytes(content)
                os.chmod(place, 0o755)
            case _ if not path.endswith(b"/"):
                Path(os.fsdecode(place)).write_bytes(entry)


def answer(view: object, method: str, path: bytes) -> object:
    """What the view says, in a form that does not tell which view said it."""
    try:
        said = getattr(view, method)(path)
    except OSError as failure:
        return errno.errorcode[failure.errno or 0]
    if method in ("stat", "lstat"):
        size = said.size if said.kind is FileKind.FILE else None
        return said.kind, size, bool(said.mode & 0o111) if said.kind is FileKind.FILE else None
    return bytes(said) if method == "read" else said


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path[:30]))
def test_every_view_answers_alike(method: str, path: bytes, roots: dict[str, Path]) -> None:
    views = {
        "disk": Shifted(DiskView(), os.fsencode(roots["disk"])),
        "rooted": RootedView(os.fsencode(roots["rooted"])),
        "memory": MemoryView(TREE),
    }
    answers = {name: answer(view, method, path) for name, view in views.items()}
    assert answers["rooted"] == answers["disk"], answers
    assert answers["memory"] == answers["disk"], answers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", BELOW_A_ROOT)
def test_nothing_is_above_a_root(method: str, path: bytes, roots: dict[str, Path]) -> None:
    rooted = RootedView(os.fsencode(roots["rooted"]))
    assert answer(rooted, method, path) == answer(MemoryView(TREE), method, path)
    assert answer(rooted, "read", path) == b"127.0.0.1\n"


@pytest.mark.parametrize("name", ["disk", "rooted", "memory"])
def test_one_file_has_one_identity_and_two_have_two(name: str, roots: dict[str, Path]) -> None:
    views: dict[str, FileView] = {
        "disk": Shifted(DiskView(), os.fsencode(roots["disk"])),  # type: ignore[dict-item]  # by __getattr__
        "rooted": RootedView(os.fsencode(roots["rooted"])),
        "memory": MemoryView(TREE),
    }
    view = views[name]

    def identity(path: bytes) -> tuple[int, int]:
        facts = view.stat(path)
        return facts.device, facts.inode

    assert identity(b"/lib/libx.so") == identity(b"/usr/lib/libx.so.1")
    assert identity(b"/etc/hosts") != identity(b"/etc/empty")


def test_a_name_with_a_nul_is_refused_by_every_view(roots: dict[str, Path]) -> None:
    for view in (DiskView(), RootedView(os.fsencode(roots["rooted"])), MemoryView(TREE)):
        with pytest.raises(ValueError, match="embedded null"):
            view.stat(b"/etc/ho\0sts")


@given(
    st.lists(
        st.sampled_from([b"", b".", b"..", b"lib", b"libx.so", b"etc", b"hosts", b"usr", b"up"]), max_size=6
    )
)
def test_any_path_means_the_same_below_a_root_and_in_memory(
    roots: dict[str, Path], parts: list[bytes]
) -> None:
    path = b"/" + b"/".join(parts)
    rooted, memory = RootedView(os.fsencode(roots["rooted"])), MemoryView(TREE)
    for method in METHODS:
        assert answer(rooted, method, path) == answer(memory, method, path), (method, path)


@contextlib.contextmanager
def only_descriptors(count: int) -> Iterator[None]:
    """Let this process open `count` more files meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A file of an earlier test that is closed meanwhile would be one more.
    gc.collect()
    fillers: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1 + count, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                fillers.append(os.open("/", os.O_RDONLY))
        for _ in range(count):
            os.close(fillers.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


def test_a_file_for_which_no_descriptor_is_left_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for look in (DiskView().read, DiskView().listdir):
        with only_descriptors(0), pytest.raises(NotLookedAt, match="file") as refused:
            look(bytes(tmp_path / "file"))
        assert "Too many open files" in str(refused.value)


def test_large_files_are_read_where_a_mapping_would_take_the_last_descriptors(tmp_path: Path) -> None:
    """Python's mmap keeps a descriptor for each."""
    paths = [bytes(tmp_path / str(number)) for number in range(8)]
    for path in paths:
        Path(os.fsdecode(path)).write_bytes(path.ljust(MAP_FROM, b"."))
    with only_descriptors(1):
        contents = [DiskView().read(path) for path in paths]
    assert [content[: len(path)] for content, path in zip(contents, paths, strict=True)] == paths


def test_links_in_an_environment_s_tree_go_by_the_top_directories_that_are_made_on_entering(
    tmp_path: Path,
) -> None:
    for name in ("usr/bin", "etc"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "usr/bin/nano").write_bytes(b"a program")
    (tmp_path / "etc/editor").symlink_to("/bin/nano")
    view = EnvironmentView(os.fsencode(tmp_path))
    assert view.realpath(b"/etc/editor") == b"/usr/bin/nano"
    assert bytes(view.read(b"/etc/editor")) == b"a program"
