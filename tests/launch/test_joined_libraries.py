"""The table of what the links of a directory lead to: what is written is read, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from denizen.launch.joined_libraries import links_of, table_of

_STRING = st.binary(min_size=1, max_size=30).filter(lambda value: b"\0" not in value)
_LINKS = st.dictionaries(_STRING, _STRING.map(lambda value: b"/" + value), max_size=9)


@given(_STRING, _LINKS)
def test_what_is_written_is_read(libraries: bytes, links: dict[bytes, bytes]) -> None:
    assert links_of(table_of(libraries, links), libraries) == links


@given(_STRING, _LINKS)
def test_a_table_of_other_libraries_is_none(libraries: bytes, links: dict[bytes, bytes]) -> None:
    assert links_of(table_of(libraries + b"x", links), libraries) is None


@given(_STRING, _LINKS, st.data())
def test_a_table_that_is_cut_is_none(
    libraries: bytes, links: dict[bytes, bytes], data: st.DataObject
) -> None:
    content = table_of(libraries, links)
    assert links_of(content[: data.draw(st.integers(0, len(content) - 1))], libraries) is None
