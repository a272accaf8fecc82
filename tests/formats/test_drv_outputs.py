from hypothesis import given
from hypothesis import strategies as st

from denizen.formats import aterm, aterm_parser
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.drv_outputs import stated_outputs

texts = st.binary(min_size=1, max_size=8) | st.sampled_from(
    [b'"', b"\\", b'")],[', b'"),("', b"out", b"/nix/store/x"]
)


def derivation(outputs: dict[bytes, DerivationOutput]) -> bytes:
    return aterm.render(Derivation(outputs, {}, (), b"x86_64-linux", b"/bin/sh", (), {b"out": b"x"}))


def test_outputs_are_read_from_the_beginning_alone() -> None:
    content = derivation(
        {b"out": DerivationOutput(b"/s/a"), b"dev": DerivationOutput(b"/s/b", b"r:sha256", b"00")}
    )
    assert stated_outputs(content[: content.index(b"],[") + 3]) == {b"dev": b"/s/b", b"out": b"/s/a"}


def test_a_blank_path_has_no_answer() -> None:
    assert stated_outputs(derivation({b"out": DerivationOutput(b"", b"r:sha256")})) is None


def test_what_is_no_derivation_has_none() -> None:
    for content in (b"", b"Derive([", b"Derive([],[", b'Derive([("out")],[', b"\x7fELF"):
        assert stated_outputs(content) is None


@given(st.dictionaries(texts, st.builds(DerivationOutput, texts, texts, texts), min_size=1, max_size=3))
def test_an_answer_is_that_of_the_parser(outputs: dict[bytes, DerivationOutput]) -> None:
    content = derivation(outputs)
    found = stated_outputs(content)
    assert found is None or found == {
        name: one.path for name, one in aterm_parser.parse(content).outputs.items()
    }
