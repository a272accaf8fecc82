import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.storepath import StorePath
from denizen.store import sidecar, store_marker
from denizen.store.object_errors import BadMarker
from denizen.store.object_info import ObjectInfo
from denizen.store.sidecar import BadSidecar

PATH = StorePath("0" * 32, "name")
digests = st.text("0123456789abcdfghijklmnpqrsvwxyz", min_size=32, max_size=32)
paths = st.builds(StorePath, digests, st.from_regex(r"[a-z][a-z0-9+_.-]{0,20}", fullmatch=True))
words = st.from_regex(r"[!-~]{1,40}", fullmatch=True)
infos = st.builds(
    ObjectInfo,
    path=st.just(PATH),
    nar_hash=st.binary(min_size=32, max_size=32),
    nar_size=st.integers(0, 2**63 - 1),
    references=st.lists(paths, max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
    deriver=st.none() | paths,
    signatures=st.lists(words, max_size=3).map(tuple),
    registered=st.integers(0, 2**40),
    content_address=st.none() | words,
)
WHOLE = sidecar.write(
    ObjectInfo(PATH, bytes(32), 7, (PATH,), StorePath("1" * 32, "x.drv"), ("k:s",), 9, "text:sha256:x")
)


@given(infos)
def test_what_is_written_is_read(info: ObjectInfo) -> None:
    assert sidecar.read(sidecar.write(info), PATH) == info


def test_a_sidecar_cut_anywhere_is_damaged() -> None:
    # Without its last newline it still says everything.
    for size in range(len(WHOLE) - 1):
        with pytest.raises(BadSidecar):
            sidecar.read(WHOLE[:size], PATH)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"denizen-object 1", b"denizen-object 2"),
        (b"nar-size: 7", b"nar-size: -7"),
        (b"nar-size: 7", b"nar-size: 99999999999999999999"),
        (b"registered: 9", b"registered: nine"),
        (b"sha256:0", b"sha512:0"),
        (b"sha256:0", b"sha256:e"),
        (b"reference: 0", b"reference: /"),
        (b"signature: k", b"surprise: k"),
        (b"signature: k:s", b"signature: \xff"),
        (b"end\n", b""),
    ],
)
def test_anything_but_what_denizen_writes_is_refused(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    with pytest.raises(BadSidecar):
        sidecar.read(WHOLE.replace(old, new, 1), PATH)


def test_a_sidecar_of_another_object_is_refused() -> None:
    with pytest.raises(BadSidecar, match="another object"):
        sidecar.read(WHOLE, StorePath("0" * 32, "other"))


@given(st.binary(max_size=40).map(lambda rest: b"/" + rest))
def test_a_marker_holds_any_directory(logical: bytes) -> None:
    content = store_marker.write(logical)
    assert content.count(b"\n") == 2
    assert content.isascii()
    assert store_marker.read(content, b"marker") == logical


@pytest.mark.parametrize(
    "content",
    [b"", b"denizen-store 2\nstore-dir: /x\n", store_marker.write(b"/x")[:-1], store_marker.write(b"x"),
     b"denizen-store 1\nstore-dir: /%zz\n", b"denizen-store 1\nstore-dir: /%41\n"],
)  # fmt: skip
def test_a_marker_that_denizen_did_not_write_is_refused(content: bytes) -> None:
    with pytest.raises(BadMarker, match="damaged"):
        store_marker.read(content, b"marker")
