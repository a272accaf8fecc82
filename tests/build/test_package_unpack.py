import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.build import package_unpack
from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.package_unpack import NotPromised, NotUnpacked, PackageFile, make, unpack
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import display
from denizen.formats.archive_tree import Layout
from denizen.formats.file_tree import ArchiveEntry, Directory, File, HardLink, Symlink
from denizen.process_pool import HelperDied, Helpers
from denizen.store.collection.remove import remove_tree
from denizen.store.errors import DiskFailed
from denizen.store.nar_digest import Digest
from denizen.store.trees.canonical import is_canonical
from denizen.store.trees.nar_hashing import Digester, digest_tree
from denizen.store.trees.tree_reader import TooDeep
from tests.support import debs
from tests.support.debs import Item
from tests.support.derivations import BuildStore

pytestmark = pytest.mark.usefixtures("alone")

HASH = b"0123456789abcdfghijklmnpqrsvwxyz"
NAMES = st.sampled_from([b"a", b"a-b", b"a.b", b"aa", b"b", b"\xff"])


@st.composite
def archives(draw: st.DrawFn) -> list[ArchiveEntry]:
    """Entries in an archive's order: a directory comes before what is in it, and that is all."""
    kinds: dict[bytes, str] = {b"": "directory"}
    entries: list[ArchiveEntry] = [Directory(b"")]
    for _ in range(draw(st.integers(0, 12))):
        above = draw(st.sampled_from(sorted(path for path, kind in kinds.items() if kind == "directory")))
        name = draw(NAMES)
        path = above + b"/" + name if above else name
        files = sorted(path for path, kind in kinds.items() if kind == "file")
        kind = draw(st.sampled_from(["directory", "file", "link", *(["second"] if files else [])]))
        if path in kinds:
            continue
        kinds[path] = "file" if kind == "second" else kind
        content = draw(st.sampled_from([b"", b"x", HASH, b"y" * 300]))
        made: dict[str, ArchiveEntry] = {
            "directory": Directory(path),
            "file": File(path, draw(st.booleans()), len(content), (content[:2], content[2:])),
            "link": Symlink(path, b"../" + HASH),
        }
        entries.append(HardLink(path, draw(st.sampled_from(files))) if kind == "second" else made[kind])
    return entries


def made(directory: Path, entries: list[ArchiveEntry], held: int) -> Digest:
    """What `make` says when so much is held in memory, which is what is on the disk then."""
    tree = os.fsencode(directory / "tree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package_unpack, "HELD", held)
        digest = make(iter(entries), tree, [HASH])
    assert digest == digest_tree(tree, Digester([HASH]))
    assert is_canonical(tree)
    parent = os.open(directory, os.O_RDONLY)
    remove_tree(parent, b"tree")
    os.close(parent)
    return digest


@given(entries=archives(), held=st.integers(0, 400))
def test_held_in_memory_or_not_a_tree_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, entries: list[ArchiveEntry], held: int
) -> None:
    directory = tmp_path_factory.mktemp("unpack_by_helper")
    assert made(directory, entries, 1 << 20) == made(directory, entries, held)


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path) -> None:
    entries: list[ArchiveEntry] = [
        Directory(b""),
        File(b"a", executable=True, size=1, content=(b"x",)),
        HardLink(b"b", b"a"),
        HardLink(b"c", b"b"),
    ]
    make(iter(entries), os.fsencode(tmp_path / "tree"), [])
    assert {path.name: path.stat().st_nlink for path in (tmp_path / "tree").iterdir()} == dict.fromkeys(
        "abc", 1
    )


def test_a_tree_deeper_than_archives_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_unpack, "MAX_DEPTH", 3)
    entries = [Directory(b"/".join([b"d"] * depth)) for depth in range(5)]
    with pytest.raises(TooDeep):
        make(iter(entries), os.fsencode(tmp_path / "tree"), [])


def package(tmp_path: Path, content: bytes, promised: bytes | None = None) -> PackageFile:
    deb = tmp_path / "x.deb"
    deb.write_bytes(content)
    value = hashlib.sha256(content if promised is None else promised).hexdigest().encode()
    tree = os.fsencode(tmp_path / "tree")
    return PackageFile(os.fsencode(deb), value, "x", Layout.USR_MERGED, tree, (HASH,))


def test_a_file_of_another_hash_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(NotPromised, match="not the package that was promised"):
        unpack(package(tmp_path, debs.deb([Item("./x")]), b"other"))
    assert not (tmp_path / "tree").exists()


def test_what_is_wrong_with_a_package_is_told_by_the_helper(tmp_path: Path) -> None:
    content = debs.ar(("debian-binary", b"2.0\n"), ("control.tar", debs.tar([Item("./control")])), ("x", b""))
    with (
        Helpers(package_unpack.work, 1) as helpers,
        pytest.raises(NotUnpacked, match="'x' stands where data"),
    ):
        package_unpack.unpack_by_helper(helpers, package(tmp_path, content))


def test_here_and_by_helpers_packages_become_the_same_objects(tmp_path: Path) -> None:
    found = []
    for jobs in (1, 4):
        (tmp_path / str(jobs)).mkdir()
        shop = BuildStore(tmp_path / str(jobs))
        sources = [
            shop.fetched(f"p{n}.deb", debs.deb([Item(f"./lib/{n}", content=bytes([n]) * n * 999)]))
            for n in range(8)
        ]
        wanted = [shop.derive(f"p{n}", unpacking(made_by(s), shop.store_dir)) for n, s in enumerate(sources)]
        shop.realise(*wanted, jobs=jobs)
        found.append([shop.store.info(one.outputs[b"out"]).nar_hash for one in wanted])
        assert not shop.left_behind()
    assert found[0] == found[1]


def test_a_helper_killed_at_work_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = BuildStore(tmp_path)
    source = shop.fetched("x.deb", debs.deb([Item("./x")]))
    one = shop.derive("x", unpacking(made_by(source), shop.store_dir))
    shop.realise(source)
    monkeypatch.setattr(package_unpack, "make", lambda *_: os.kill(os.getpid(), 9))
    with pytest.raises(HelperDied, match=r"to unpack x\.deb has ended: it was killed by SIGKILL"):
        realise(shop.store, [one.path], RealiseOptions(shop.opener, 2))
    assert not shop.left_behind()


def test_what_is_full_is_where_the_tree_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the package, which was only read; write(2) tells no name, and openat(2) the last part of one."""

    def full(entry: File, *_: object) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), entry.path)

    package = tmp_path / "x.deb"
    package.write_bytes(debs.deb([Item("./usr/x", content=b"x")]))
    tree = os.fsencode(tmp_path / "tree")
    monkeypatch.setattr("denizen.store.trees.restore._new_file", full)
    with pytest.raises(DiskFailed) as caught:
        unpack(PackageFile(os.fsencode(package), b"", "x", Layout.AS_PACKAGED, tree, ()))
    assert caught.value.path == tree
    assert display(tree) in caught.value.why
