import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.linker.tokens import MAX_EXPANDED, Tokens, expand, expand_origin_only, has_token, is_trusted

PLAIN = Tokens(b"/opt/app/bin", b"lib64", b"x86_64")
SYSTEM = (b"/lib/x86_64-linux-gnu/", b"/usr/lib/")


@pytest.mark.parametrize(
    ("element", "expanded"),
    [
        (b"/usr/lib", b"/usr/lib"),
        (b"$ORIGIN", b"/opt/app/bin"),
        (b"$ORIGIN/../$LIB/${PLATFORM}", b"/opt/app/bin/../lib64/x86_64"),
        (b"/a$ORIGIN", b"/a/opt/app/bin"),
        (b"$LIBRARY", b"$LIBRARY"),
        (b"$LIB-x", b"lib64-x"),
        (b"${LIB", b"${LIB"),
        (b"${LIB_}", b"${LIB_}"),
        (b"$HOME/$$LIB", b"$HOME/$lib64"),
        (b"$", b"$"),
        (b"", b""),
    ],
)
def test_tokens_are_replaced_as_is_dst_recognises_them(element: bytes, expanded: bytes) -> None:
    assert expand(element, PLAIN) == expanded


@pytest.mark.parametrize("element", [b"$ORIGIN/a", b"/a/$LIB", b"$PLATFORM"])
def test_a_token_without_a_value_drops_the_element(element: bytes) -> None:
    assert expand(element, Tokens(None)) is None


@pytest.mark.parametrize(
    ("element", "expanded"),
    [
        (b"$ORIGIN/a", b"/usr/lib/app/a"),
        (b"$ORIGIN", b"/usr/lib/app"),
        (b"/x/$ORIGIN", None),
        (b"$ORIGINx", b"$ORIGINx"),
        (b"$ORIGIN:", None),
        (b"$ORIGIN/../../../etc", None),
        (b"/usr/$LIB", b"/usr/lib64"),
    ],
)
def test_under_at_secure_the_programs_origin_must_lead_into_a_system_directory(
    element: bytes, expanded: bytes | None
) -> None:
    assert expand(element, Tokens(b"/usr/lib/app", b"lib64", secure=True, trusted=SYSTEM)) == expanded


@pytest.mark.parametrize(
    ("path", "trusted"),
    [
        (b"/usr/lib", True),
        (b"/usr/lib/a/../b", True),
        (b"/usr/lib/../lib/x", True),
        (b"/usr/lib/../../home", False),
        (b"/usr/library", False),
        (b"//usr/./lib/", True),
        (b"usr/lib", False),
        (b"", False),
    ],
)
def test_trust_goes_by_the_normal_form_of_the_text(path: bytes, trusted: bool) -> None:  # noqa: FBT001  # a table's column
    assert is_trusted(path, SYSTEM) is trusted


@given(st.lists(st.sampled_from([b"$", b"{", b"}", b"ORIGIN", b"LIB", b"PLATFORM", b"/", b"x"])))
def test_a_path_has_a_token_if_something_in_it_would_be_replaced(parts: list[bytes]) -> None:
    path = b"".join(parts)
    assert has_token(path) == (expand(path, Tokens(b"\0", b"\0", b"\0")) != path)


def test_an_expansion_without_end_is_dropped() -> None:
    assert expand(b"$ORIGIN" + b"/$ORIGIN" * 9, Tokens(b"/" + b"x" * (MAX_EXPANDED // 9))) is None


@given(st.binary(max_size=60))
def test_any_bytes_expand_to_something_or_are_dropped(element: bytes) -> None:
    expanded = expand(element, PLAIN)
    assert expanded is not None
    assert (expanded == element) or b"$" in element


@pytest.mark.parametrize(
    ("paths", "expanded"),
    [
        (b"$ORIGIN/lib:${ORIGIN}/x", b"/o/lib:/o/x"),
        (b"/a:/b", b"/a:/b"),
        (b"$ORIGIN:$LIB", None),
        (b"$ORIGIN/$", None),
        (b"$ORIGINAL", b"/oAL"),
    ],
)
def test_musl_knows_origin_and_nothing_else(paths: bytes, expanded: bytes | None) -> None:
    assert expand_origin_only(paths, b"/o") == expanded
