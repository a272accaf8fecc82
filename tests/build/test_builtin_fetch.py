import pytest

from denizen.build import builtin_fetch
from denizen.build.builtin_derivations import recipe
from denizen.build.builtin_fetch import MAX_SIZE, Fetch, fetching, fetching_executable
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.hashes import Hash
from denizen.formats.storepath import NIX_STORE, Method
from denizen.value import replace

HASH = Hash("sha256", bytes(range(32)))
URLS = ["https://example.test/x", "file:///x%20y"]


def read(derivation: Derivation) -> Fetch:
    return builtin_fetch.read(derivation, Variables("x", derivation.environment, NIX_STORE))


def test_a_plain_file_is_read_back_as_it_was_asked_for() -> None:
    found = read(fetching(URLS, HASH, NIX_STORE))
    assert (found.urls, found.content.content, found.content.method) == (tuple(URLS), HASH, Method.FLAT)
    assert (found.limit, found.exact, found.executable) == (MAX_SIZE, False, False)


def test_a_size_is_a_limit_and_exact() -> None:
    found = read(fetching(URLS, HASH, NIX_STORE, size=7))
    assert (found.limit, found.exact) == (7, True)


def test_an_executable_is_known_by_its_archive() -> None:
    found = read(fetching_executable(URLS, HASH, NIX_STORE))
    assert (found.executable, found.content.method) == (True, Method.RECURSIVE)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "wants the variable 'urls'"),
        ({b"urls": b""}, "names no URL"),
        ({b"urls": b"ftp://x"}, "not an http, https or file URL"),
        ({b"urls": b"/etc/passwd"}, "not an http, https or file URL"),
        ({b"urls": b"https://caf\xc3\xa9"}, "not an http, https or file URL"),
        ({b"urls": b"https://x\ty"}, "fields"),
        ({b"urls": b"https://x", b"size": b"-1"}, "not a size"),
        ({b"urls": b"https://x", b"size": b"9" * 30}, "not a size"),
    ],
)
def test_what_cannot_be_fetched_is_refused(variables: dict[bytes, bytes], reason: str) -> None:
    derivation = replace(fetching(URLS, HASH, NIX_STORE), environment=variables)
    with pytest.raises(BadDerivation, match=reason):
        read(derivation)


def test_a_fetch_without_a_hash_is_refused() -> None:
    derivation = replace(fetching(URLS, HASH, NIX_STORE), outputs={b"out": DerivationOutput(b"/nix/store/x")})
    with pytest.raises(BadDerivation, match="must have a hash"):
        read(derivation)


def test_nix_own_derivations_for_files_are_read() -> None:
    output = DerivationOutput(b"", b"sha256", b"00" * 32)
    variables = {b"url": b"https://example.test/x", b"executable": b""}
    derivation = recipe(builtin_fetch.NIX_BUILDER, variables, (), NIX_STORE, output)
    plan = read(derivation)
    assert plan.urls == ("https://example.test/x",)
    unpacked = replace(derivation, environment={**derivation.environment, b"unpack": b"1"})
    with pytest.raises(BadDerivation, match="unpacks"):
        read(unpacked)
