"""The lock: one text for one resolution, and nothing else is believed."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.resolve.installation.resolution_derivations import recipes
from denizen.resolve.lock import BadLock, parse, write
from denizen.resolve.resolution import (
    ChoiceRule,
    FromHost,
    Pin,
    ProblemKind,
    ProviderChoice,
    Resolution,
    ResolutionProblem,
)

HASH = b"a" * 64
PIN = Pin(b"liba1", b"1:2-3", b"amd64", "debian", "trixie", "1234", b"pool/liba1.deb", 10, HASH, 4)
CHOICE = ProviderChoice(b"liba.so.1", HASH, b"usr/lib/liba.so.1", ChoiceRule.ONLY, b"program")
FULL = Resolution(
    "amd64",
    "trixie",
    (2, 38),
    (b"/lib64/ld.so", HASH, b"usr/lib/ld.so"),
    (PIN,),
    (CHOICE, ProviderChoice(b"libb.so", b"", b"../lib/libb.so.1", ChoiceRule.BESIDE, b"program", (), "qt")),
    (b"liba.so.1",),
    (FromHost(b"libcuda.so.1", b"program", "the driver's"),),
    (),
    (ResolutionProblem(ProblemKind.LIBRARY, b"libz.so.9", b"program", 'no "one"\n', (b"libz.so.1",)),),
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1).map(str.encode)


def signed(body: str) -> bytes:
    """A lock with a right digest, whatever it says."""
    return f'version = 1\ndigest = "{hashlib.sha256(body.encode()).hexdigest()}"\n{body}'.encode()


def body_of(resolution: Resolution) -> str:
    return write(resolution).decode().split("\n", 2)[2]


def test_what_is_written_is_read_back() -> None:
    assert parse(write(FULL)) == FULL


@given(NAMES, st.text(st.characters(codec="utf-8")))
def test_any_name_and_any_text_survive(subject: bytes, detail: str) -> None:
    made = Resolution("amd64", problems=(ResolutionProblem(ProblemKind.SYMBOL, subject, b"", detail),))
    assert parse(write(made)) == made


def test_a_key_that_takes_quadratic_time_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadLock, match="200 parts"):
        parse(signed(".".join("a" * 30_000) + " = 1\n"))


def test_an_edited_lock_is_refused() -> None:
    text = write(FULL).replace(b'version = "1:2-3"', b'version = "1:2-4"')
    with pytest.raises(BadLock, match="digest"):
        parse(text)


def test_a_lock_cut_short_anywhere_is_refused() -> None:
    text = write(FULL)
    for end in range(0, len(text), 7):
        with pytest.raises(BadLock):
            parse(text[:end])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("base =", "bass =", "bass"),
        ('rule = "only"', 'rule = "whim"', "whim"),
        ("size = 10", 'size = "10"', "number"),
        ("size = 10", "size = -1", "number"),
        ("size = 10", "size = 10  ", "as denizen writes it"),
        ('soname = "liba.so.1"', 'soname = "../liba.so.1"', "soname"),
        ('path = "usr/lib/liba.so.1"', 'path = "usr/../../liba.so.1"', "leaves its package"),
        ('filename = "pool', 'filename = "../pool', "leaves the archive"),
        ('suite = "trixie"\n', "", "suite"),
        (HASH.decode(), "b" * 63, "SHA-256"),
        ('lack = "missing-library"', 'lack = "sorrow"', "sorrow"),
        ('path = "usr/lib/liba.so.1"', 'path = ""', "leaves its package"),
        ('path = "../lib/libb.so.1"', 'path = "/tmp/libb.so"', "start from the program"),
        ('file = "usr/lib/ld.so"', 'file = "../ld.so"', "of no package"),
        ('path = "/lib64/ld.so"', 'path = "ld.so"', "dynamic linker"),
        ('soname = "libb.so"', 'soname = "liba.so.1"', "in order"),
        ('soname = "libb.so"', 'soname = "aaa.so"', "in order"),
        ('near = ["libz.so.1"]', "near = 1", "array"),
        ('floor = "2.38"', 'floor = "2.x"', "glibc"),
    ],
)
def test_a_foreign_lock_is_refused_with_the_rule_it_breaks(old: str, new: str, problem: str) -> None:
    body = body_of(FULL)
    assert old in body
    with pytest.raises(BadLock, match=problem):
        parse(signed(body.replace(old, new)))


def test_a_library_of_a_package_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadLock, match="not among the packages"):
        parse(signed(body_of(Resolution("amd64", choices=(CHOICE,)))))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"version = 1", b"[" * 100_000, b"version = 2\n"])
def test_what_is_no_lock_is_refused(text: bytes) -> None:
    with pytest.raises(BadLock):
        parse(text)


def test_what_is_read_back_is_realised_to_the_same_store_paths() -> None:
    urls = {HASH: ("https://example.org/liba1.deb",)}
    made, read = (recipes(one, urls, b"/nix/store") for one in (FULL, parse(write(FULL))))
    assert read == made
    assert made.packages[HASH] in {path for one in made.derivations for path in one.outputs.values()}


def test_a_name_that_is_no_utf_8_cannot_be_written() -> None:
    with pytest.raises(BadLock, match="UTF-8"):
        write(Resolution("amd64", problems=(ResolutionProblem(ProblemKind.SYMBOL, b"\xff", b"", ""),)))


def test_every_rule_has_a_title_of_its_own() -> None:
    titles = [rule.title for rule in ChoiceRule]
    assert all(first != second for first, second in itertools.combinations(titles, 2))
