import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.errors import BadInput
from denizen.formats import narinfo
from denizen.formats.hashes import Hash
from denizen.formats.narinfo import BadNarInfo, NarInfo
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.value import replace
from tests.formats.test_storepath import paths

hashed = st.binary(max_size=8).map(lambda content: Hash("sha256", hashlib.sha256(content).digest()))
words = st.text("abcXYZ019:/=+-.", min_size=1, max_size=20)
infos = st.builds(
    NarInfo,
    path=paths,
    url=words,
    nar_hash=hashed,
    nar_size=st.integers(0, 2**63 - 1),
    references=st.sets(paths, max_size=3).map(lambda some: tuple(sorted(some))),
    compression=words,
    file_hash=st.none() | hashed,
    file_size=st.none() | st.integers(0, 2**63 - 1),
    deriver=st.none() | paths,
    system=st.just("") | words,
    signatures=st.lists(words, max_size=3).map(tuple),
    content_address=st.just("") | words,
)
PATH = StorePath("0" * 32, "hello-2.12.1")
INFO = NarInfo(PATH, "nar/x.nar.xz", Hash("sha256", hashlib.sha256(b"abc").digest()), 96)
FILE = narinfo.render(INFO, NIX_STORE)


@given(infos)
def test_what_was_printed_is_read_back(info: NarInfo) -> None:
    assert narinfo.parse(narinfo.render(info, NIX_STORE), NIX_STORE) == info


def test_the_fingerprint_is_the_published_one() -> None:
    other = StorePath("1" * 32, "glibc")
    info = replace(INFO, references=(other, PATH))
    assert narinfo.fingerprint(info, NIX_STORE) == (
        b"1;/nix/store/00000000000000000000000000000000-hello-2.12.1;"
        b"sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s;96;"
        b"/nix/store/00000000000000000000000000000000-hello-2.12.1,"
        b"/nix/store/11111111111111111111111111111111-glibc"
    )


def test_absent_keys_have_their_defaults_and_unknown_ones_are_passed_over() -> None:
    lines = [line for line in FILE.splitlines() if not line.startswith((b"Compression", b"References"))]
    found = narinfo.parse(b"\n".join([*lines, b"Novelty: 1", b"Deriver: unknown-deriver"]), NIX_STORE)
    assert (found.compression, found.references, found.deriver) == ("bzip2", (), None)


@pytest.mark.parametrize("key", ["StorePath", "URL", "NarHash", "NarSize"])
def test_what_must_be_there_must_be_there(key: str) -> None:
    without = b"\n".join(line for line in FILE.splitlines() if not line.startswith(key.encode()))
    with pytest.raises(BadNarInfo, match=key):
        narinfo.parse(without, NIX_STORE)


@pytest.mark.parametrize(
    "line",
    [
        b"StorePath: /nix/store/00000000000000000000000000000000-again",
        b"no colon",
        b"Bad Key: x",
        b"",
        b"X: \x1b[31m",
        b"X: a\rb",
        b"X: \xff",
        b"FileSize: -1",
        b"FileSize: 1e3",
        b"FileSize: 99999999999999999999",
        b"FileSize: \xd9\xa1",
        b"FileHash: sha256:zz",
        b"Deriver: ../x",
    ],
)
def test_a_malformed_line_is_refused(line: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        narinfo.parse(FILE + line + b"\n", NIX_STORE)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"StorePath: /nix/store/", b"StorePath: /other/store/"),
        (b"NarHash: sha256:", b"NarHash: sha512:"),
        (b"NarHash: sha256:1b8m", b"NarHash: md5:1b8m"),
        (b"References: ", b"References: x"),
        (b"References: ", b"References: " + b"0" * 32 + b"-a " + b"0" * 32 + b"-a"),
    ],
)
def test_a_malformed_value_is_refused(good: bytes, bad: bytes) -> None:
    assert good in FILE
    with pytest.raises(BadInput):
        narinfo.parse(FILE.replace(good, bad), NIX_STORE)


def test_a_file_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(BadNarInfo, match="larger than"):
        narinfo.parse(FILE + b"X: " + b"x" * narinfo.MAX_SIZE, NIX_STORE)


@given(st.binary(max_size=60), st.integers(0, len(FILE)))
def test_noise_anywhere_is_refused_or_read(noise: bytes, where: int) -> None:
    try:
        info = narinfo.parse(FILE[:where] + noise + FILE[where:], NIX_STORE)
    except BadInput:
        return
    assert narinfo.parse(narinfo.render(info, NIX_STORE), NIX_STORE) == info
