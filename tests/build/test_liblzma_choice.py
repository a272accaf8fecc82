import io
import lzma
import mmap
import os
import shutil
import sys
from pathlib import Path

import pytest

from denizen.build import liblzma_choice
from denizen.build.liblzma_choice import (
    FAST,
    FILE,
    SONAME,
    DecoderChoice,
    keep,
    kept,
    opened,
    refusal_reason,
    shown,
    standing,
    use,
)
from denizen.disk_view import DiskView
from denizen.formats import compression
from denizen.formats.compression import expanded
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.local import Store
from tests.support.generated_trees import drain
from tests.support.memory_archive import library

PROGRAM = os.path.realpath(os.fsencode(sys.executable))
OLD = 50_040_012
LIBC = b"libc.so.6"

if os.uname().machine != "x86_64" or liblzma_choice.libc_of_process() is None:
    pytest.skip("there is a faster decoder for glibc on x86-64 only", allow_module_level=True)


@pytest.fixture(autouse=True)
def no_preference() -> None:
    compression.prefer_xz(None)


@pytest.fixture
def own() -> bytes:
    """The liblzma that Python's lzma is bound to."""
    drain(expanded(io.BytesIO(lzma.compress(b"x")), "xz"))
    maps = Path("/proc/self/maps").read_bytes()
    return next(b"/" + line.partition(b"/")[2] for line in maps.splitlines() if b"/liblzma.so" in line)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(os.fsencode(tmp_path / "store"))


def put(store: Store, tmp_path: Path, content: bytes) -> Path:
    """A package with a library, kept as the decoder; its tree in the store."""
    tree = tmp_path / "tree"
    (tree / os.fsdecode(FILE)).parent.mkdir(parents=True)
    (tree / os.fsdecode(FILE)).write_bytes(content)
    with store.working() as work:
        path = work.add(os.fsencode(tree), "liblzma5-5.8.1").path
        keep(store.layout, path)
    shutil.rmtree(tree)
    return Path(os.fsdecode(store.place_of(path)))


@pytest.mark.parametrize(("version", "helped"), [(0, True), (OLD, True), (FAST, False), (50_080_012, False)])
def test_an_old_liblzma_and_one_that_does_not_tell_are_helped(
    monkeypatch: pytest.MonkeyPatch, version: int, *, helped: bool
) -> None:
    monkeypatch.setattr(liblzma_choice, "_own_version", lambda: version)
    assert standing().helped is helped


def test_without_glibc_there_is_no_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liblzma_choice, "libc_of_process", lambda: None)
    assert standing() == DecoderChoice(helped=False, reason="this Python does not run on glibc")
    assert liblzma_choice.libc_name() is None


def test_where_proc_is_not_mounted_there_is_no_help(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liblzma_choice, "_MAPS", "/nonexistent/self/maps")
    assert not standing().helped
    assert kept(store.layout) is None
    use(store.layout)
    assert drain(expanded(io.BytesIO(lzma.compress(b"content")), "xz")) == b"content"


def test_a_c_library_that_is_only_read_is_not_the_process_s(tmp_path: Path) -> None:
    runs_on = liblzma_choice.libc_of_process()
    assert runs_on is not None
    (tmp_path / "libc.so.6").write_bytes(Path(os.fsdecode(runs_on)).read_bytes())
    with (
        open(tmp_path / "libc.so.6", "rb") as other,
        # The kernel gives addresses from above: the newest mapping is listed before the older ones.
        mmap.mmap(other.fileno(), 0, prot=mmap.PROT_READ),
    ):
        assert str(tmp_path) in Path("/proc/self/maps").read_text()
        assert liblzma_choice.libc_of_process() == runs_on


def test_a_version_is_shown_as_people_write_it() -> None:
    assert [shown(number) for number in (OLD, FAST, 50_080_012)] == ["5.4.1", "5.6.0", "5.8.1"]


def test_the_hosts_own_library_would_load(own: bytes) -> None:
    assert refusal_reason(DiskView(), own, PROGRAM) == ""


@pytest.mark.parametrize(
    ("content", "lacking"),
    [
        (
            library(b"liblzma.so.5", b"libc.so.6", asks=[(b"f", b"GLIBC_9.99", b"libc.so.6")]),
            "needs GLIBC_9.99",
        ),
        (library(b"liblzma.so.5", b"libc.so.6", b"libnone.so.7"), r"needs libnone\.so\.7"),
        (library(b"liblzma.so.5", b"libc.so.6", asks=[(b"nowhere", None, None)]), "needs nowhere"),
        (library(SONAME), "another C library"),
        (b"not ELF", "ELF"),
    ],
)
def test_what_would_not_load_is_told(tmp_path: Path, content: bytes, lacking: str) -> None:
    (tmp_path / "liblzma.so.5").write_bytes(content)
    with pytest.raises(AssertionError, match=lacking):
        raise AssertionError(refusal_reason(DiskView(), os.fsencode(tmp_path / "liblzma.so.5"), PROGRAM))


def test_what_is_kept_decodes_and_survives_a_collection(store: Store, tmp_path: Path, own: bytes) -> None:
    tree = put(store, tmp_path, Path(os.fsdecode(own)).read_bytes())
    collect(store, Limits())
    assert tree.exists()
    assert opened(store.layout) is not None
    use(store.layout)
    assert drain(expanded(io.BytesIO(lzma.compress(b"content")), "xz")) == b"content"
    maps = Path("/proc/self/maps").read_text()
    assert str(tree) in maps


def test_for_another_c_library_nothing_is_kept(
    store: Store, tmp_path: Path, own: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, tmp_path, Path(os.fsdecode(own)).read_bytes())
    monkeypatch.setattr(liblzma_choice, "libc_name", lambda: b"after-an-upgrade")
    assert kept(store.layout) is None


def test_a_new_root_takes_the_place_of_those_for_other_c_libraries(
    store: Store, tmp_path: Path, own: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Path(os.fsdecode(own)).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(liblzma_choice, "libc_name", lambda: b"before-an-upgrade")
        put(store, tmp_path, content)
    put(store, tmp_path, content)
    assert len(os.listdir(os.path.join(store.layout.gcroots, b"decoder"))) == 1


@pytest.mark.parametrize("content", [b"damaged", library(SONAME)])
def test_a_library_that_does_not_load_leaves_it_to_pythons(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    put(store, tmp_path, content)
    assert opened(store.layout) is None
    use(store.layout)
    assert drain(expanded(io.BytesIO(lzma.compress(b"content")), "xz")) == b"content"


def test_without_a_store_nothing_is_kept(store: Store) -> None:
    assert kept(store.layout) is None
    assert opened(store.layout) is None


@pytest.mark.parametrize("fault", ["content", "file", "directory", "store", "sidecar", "owner"])
def test_a_library_that_others_could_have_changed_is_not_loaded(
    store: Store, tmp_path: Path, own: bytes, fault: str
) -> None:
    tree = put(store, tmp_path, Path(os.fsdecode(own)).read_bytes())
    file = tree / os.fsdecode(FILE)
    if fault == "content":
        file.chmod(0o644)
        with file.open("r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            stream.write(b"?")
        file.chmod(0o444)
    elif fault == "owner":
        if os.geteuid():
            pytest.skip("only root gives files away")
        os.chown(file, 65534, 65534)
    else:
        sidecar = Path(os.fsdecode(store.layout.info)) / tree.name
        place = {"file": file, "directory": file.parent, "store": tree.parent, "sidecar": sidecar}[fault]
        place.chmod(0o666 if place.is_file() else 0o777)
    assert kept(store.layout) is not None
    assert opened(store.layout) is None
