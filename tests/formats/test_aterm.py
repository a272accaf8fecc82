import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.errors import BadInput
from denizen.formats import aterm, aterm_parser
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.aterm_parser import BadDerivationFile

text = st.binary(max_size=12) | st.sampled_from([b'"', b"\\", b"\n\r\t", b"\\n", b"\xff\0"])
derivations = st.builds(
    Derivation,
    outputs=st.dictionaries(text, st.builds(DerivationOutput, text, text, text), max_size=3),
    inputs=st.dictionaries(text, st.sets(text, max_size=3).map(lambda s: tuple(sorted(s))), max_size=3),
    sources=st.sets(text, max_size=3).map(lambda s: tuple(sorted(s))),
    system=text,
    builder=text,
    arguments=st.lists(text, max_size=3).map(tuple),
    environment=st.dictionaries(text, text, max_size=3),
)

FILE = (
    b'Derive([("out","/nix/store/x","","")],[("/nix/store/a.drv",["dev","out"])],["/nix/store/s"],'
    b'"x86_64-linux","/bin/sh",["-c","echo \\"hi\\"\\n"],[("a","1"),("out","/nix/store/x")])'
)


@given(derivations)
def test_what_was_printed_is_read_back(derivation: Derivation) -> None:
    assert aterm_parser.parse(aterm.render(derivation)) == derivation


def test_a_file_is_read_into_its_parts() -> None:
    assert aterm_parser.parse(FILE) == Derivation(
        outputs={b"out": DerivationOutput(b"/nix/store/x")},
        inputs={b"/nix/store/a.drv": (b"dev", b"out")},
        sources=(b"/nix/store/s",),
        system=b"x86_64-linux",
        builder=b"/bin/sh",
        arguments=(b"-c", b'echo "hi"\n'),
        environment={b"a": b"1", b"out": b"/nix/store/x"},
    )
    assert aterm.render(aterm_parser.parse(FILE)) == FILE


def test_sets_are_printed_sorted_and_arguments_as_they_are() -> None:
    derivation = Derivation(
        {b"b": DerivationOutput(b""), b"a": DerivationOutput(b"")},
        {},
        (b"2", b"1"),
        b"",
        b"",
        (b"z", b"y"),
        {b"k": b"", b"j": b""},
    )
    assert aterm.render(derivation) == (
        b'Derive([("a","","",""),("b","","","")],[],["1","2"],"","",["z","y"],[("j",""),("k","")])'
    )


def test_a_file_cut_at_any_byte_is_refused() -> None:
    for size in range(len(FILE)):
        with pytest.raises(BadDerivationFile):
            aterm_parser.parse(FILE[:size])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"Derive(", b"DrvWithVersion("),
        (b"Derive(", b" Derive("),
        (b'["-c",', b'[ "-c",'),
        (b'["-c",', b'["-c" '),
        (b'"-c"', b'"-c\n"'),
        (b'"-c"', b'"-c\t\\n"'),
        (b'"-c"', b'"\\x"'),
        (b'"dev","out"', b'"out","dev"'),
        (b'"dev","out"', b'"out","out"'),
        (b'("a","1"),', b'("z","1"),'),
        (b'("a","1"),', b'("out","1"),'),
        (b'("a","1"),', b'("a","1"),,'),
        (b'("a","1")', b'("a")'),
        (b'("a","1")', b'("a","1","2")'),
        (b'["/nix/store/s"]', b'["/nix/store/s","/nix/store/s"]'),
    ],
)
def test_any_other_spelling_is_refused(good: bytes, bad: bytes) -> None:
    assert good in FILE
    with pytest.raises(BadDerivationFile):
        aterm_parser.parse(FILE.replace(good, bad))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(BadDerivationFile, match="follow the end"):
        aterm_parser.parse(FILE + b"\n")


def test_a_file_beyond_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aterm_parser, "MAX_SIZE", len(FILE) - 1)
    with pytest.raises(BadDerivationFile, match="larger than"):
        aterm_parser.parse(FILE)


def test_a_million_brackets_do_not_exhaust_the_stack() -> None:
    with pytest.raises(BadDerivationFile):
        aterm_parser.parse(b"Derive(" + b"[" * 1_000_000)


@given(st.binary(max_size=100), st.integers(0, len(FILE)))
def test_noise_anywhere_is_refused_or_prints_back(noise: bytes, where: int) -> None:
    content = FILE[:where] + noise + FILE[where:]
    try:
        derivation = aterm_parser.parse(content)
    except BadInput:
        return
    assert aterm.render(derivation) == content
