import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.aptsources import AptSource, BadSources, parse_deb822, parse_one_line
from denizen.formats.deb822 import BadControl


def test_a_line_with_options_is_an_entry() -> None:
    options = b"arch=amd64,i386 signed-by=/k.gpg check-valid-until=no"
    text = b"# none\n\ndeb [" + options + b"] http://m/debian stable main contrib # x\n"
    assert list(parse_one_line(text)) == [
        AptSource(
            types=("deb",),
            uris=("http://m/debian",),
            suites=("stable",),
            components=("main", "contrib"),
            architectures=("amd64", "i386"),
            signed_by=("/k.gpg",),
            check_valid_until=False,
        )
    ]


def test_sources_and_methods_denizen_does_not_speak_are_left_out() -> None:
    text = b"deb-src http://m/debian stable main\ndeb cdrom:[Debian]/ stable main\ndeb tor+http://m s main\n"
    assert list(parse_one_line(text)) == []


def test_an_entry_in_deb822_may_hold_its_key() -> None:
    text = (
        b"Types: deb deb-src\nURIs: http://m/debian https://n/debian\nSuites: stable\nComponents: main\n"
        b"Enabled: no\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AAAA\n"
        b" -----END PGP PUBLIC KEY BLOCK-----\n\nTypes: deb\nURIs: file:/srv\nSuites: ./\nSigned-By: /a /b\n"
    )
    first, second = parse_deb822(text)
    assert (first.uris, first.enabled, first.signed_by) == (
        ("http://m/debian", "https://n/debian"),
        False,
        (),
    )
    assert first.key_block.startswith(b"\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA")
    assert (second.uris, second.signed_by, second.check_valid_until) == (("file:/srv",), ("/a", "/b"), None)


@pytest.mark.parametrize(
    "text", [b"deb\n", b"deb http://m\n", b"deb [arch=x http://m s\n", b"frob http://m s\n"]
)
def test_a_line_that_is_no_entry_is_refused(text: bytes) -> None:
    with pytest.raises(BadSources):
        list(parse_one_line(text))


def test_a_paragraph_without_addresses_is_refused() -> None:
    with pytest.raises(BadSources, match="Types and URIs"):
        list(parse_deb822(b"Types: deb\nSuites: stable\n"))


@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_refused(text: bytes) -> None:
    for parse in (parse_one_line, parse_deb822):
        try:
            list(parse(b"deb " + text))
        except (BadSources, BadControl):
            continue
