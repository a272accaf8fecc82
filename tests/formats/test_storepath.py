import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.errors import BadInput
from denizen.formats import base32, storepath
from denizen.formats.hashes import Hash
from denizen.formats.storepath import NIX_STORE, BadObjectName, BadStorePath, Method, StorePath

names = st.text(string.ascii_letters + string.digits + "+-._?=", min_size=1, max_size=211).filter(
    storepath.is_object_name
)
paths = st.builds(StorePath, st.binary(min_size=20, max_size=20).map(base32.encode), names)
A = StorePath("0" * 32, "a")
B = StorePath("1" * 32, "b")
ABC = Hash("sha256", hashlib.sha256(b"abc").digest())


@given(paths, st.sampled_from([NIX_STORE, b"/", b"/home/\xff/store", b"/a b"]))
def test_a_path_is_read_back_from_its_full_form(path: StorePath, store_dir: bytes) -> None:
    assert storepath.parse(path.inside(store_dir), store_dir) == path
    assert storepath.from_base(path.base) == path
    assert storepath.containing(path.inside(store_dir) + b"/bin/x", store_dir) == (path, b"/bin/x")
    assert storepath.containing(path.inside(store_dir), store_dir) == (path, b"")


@given(st.lists(paths))
def test_paths_sort_as_their_text_does(some: list[StorePath]) -> None:
    assert [path.base for path in sorted(some)] == sorted(path.base for path in some)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/nix/store",
        b"/nix/store/",
        b"/nix/store/" + b"0" * 32,
        b"/nix/store/" + b"0" * 32 + b"-",
        b"/nix/store/" + b"0" * 31 + b"-name",
        b"/nix/store/" + b"0" * 33 + b"-name",
        b"/nix/store/" + b"e" * 32 + b"-name",
        b"/nix/store/" + b"A" * 32 + b"-name",
        b"/nix/store/" + b"0" * 32 + b"-a/b",
        b"/nix/store/" + b"0" * 32 + b"-a\n",
        b"/nix/store/" + b"0" * 32 + b"-a\0",
        b"/nix/store/" + b"0" * 32 + b"-\xc3\xa9",
        b"/nix/store/../store/" + b"0" * 32 + b"-a",
        b"/nix/storeX/" + b"0" * 32 + b"-a",
        b"nix/store/" + b"0" * 32 + b"-a",
        b"/nix/store/" + b"0" * 32 + b"-.",
        b"/nix/store/" + b"0" * 32 + b"-..",
        b"/nix/store/" + b"0" * 32 + b"-" + b"x" * 212,
        b"/nix/store/\x1b[31m",
    ],
)
def test_what_is_not_a_store_path_is_refused(path: bytes) -> None:
    with pytest.raises(BadStorePath) as caught:
        storepath.parse(path, NIX_STORE)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".-a", "..-a", "a/b", "a b", "a\0", "\N{KELVIN SIGN}", "x" * 212]
)
def test_names_that_could_be_mistaken_are_refused(name: str) -> None:
    with pytest.raises(BadObjectName) as caught:
        storepath.for_text(name, b"", (), NIX_STORE)
    assert "--name" in caught.value.remedy


@pytest.mark.parametrize("name", [".a", "..a", "-", "a.", ".gitignore", "x" * 211])
def test_unusual_names_are_names(name: str) -> None:
    assert storepath.for_text(name, b"", (), NIX_STORE).name == name


def test_the_fingerprint_is_the_published_one() -> None:
    # Composed here from the specification, independently of the module's helpers.
    inner = hashlib.sha256(b"content").hexdigest()
    fingerprint = f"text:/nix/store/{A}:/nix/store/{B}:sha256:{inner}:/nix/store:name"
    digest = hashlib.sha256(fingerprint.encode()).digest()
    folded = bytes(a ^ b for a, b in zip(digest[:20], digest[20:] + bytes(8), strict=True))
    expected = StorePath(base32.encode(folded), "name")
    assert storepath.for_text("name", b"content", (B, A, A), NIX_STORE) == expected


def test_everything_that_goes_in_changes_the_path() -> None:
    other = Hash("sha256", bytes(32))
    found = [
        storepath.for_source("n", ABC, (), NIX_STORE),
        storepath.for_source("m", ABC, (), NIX_STORE),
        storepath.for_source("n", other, (), NIX_STORE),
        storepath.for_source("n", ABC, (), b"/home/me/store"),
        storepath.for_source("n", ABC, (A,), NIX_STORE),
        storepath.for_source("n", ABC, (), NIX_STORE, refers_to_itself=True),
        storepath.for_fixed("n", Method.FLAT, ABC, NIX_STORE),
        storepath.for_fixed("n", Method.FLAT, Hash("md5", bytes(16)), NIX_STORE),
        storepath.for_fixed("n", Method.RECURSIVE, Hash("md5", bytes(16)), NIX_STORE),
        storepath.for_output("n", "out", ABC.digest, NIX_STORE),
        storepath.for_output("n", "dev", ABC.digest, NIX_STORE),
    ]
    assert len(set(found)) == len(found)


def test_a_tree_of_known_sha256_is_a_source() -> None:
    assert storepath.for_fixed("n", Method.RECURSIVE, ABC, NIX_STORE) == storepath.for_source(
        "n", ABC, (), NIX_STORE
    )


@given(st.binary(max_size=80))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(BadInput):
        storepath.parse(noise, NIX_STORE)
