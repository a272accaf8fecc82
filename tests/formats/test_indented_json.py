import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.indented_json import json_text

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
DOCUMENTS = st.recursive(
    SCALARS, lambda below: st.lists(below) | st.dictionaries(st.text(), below) | st.tuples(below, below)
)


@given(DOCUMENTS)
def test_the_text_is_the_one_the_standard_library_writes(document: object) -> None:
    assert json_text(document) == json.dumps(document, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("document", [{1: "key"}, {"a": float("inf")}, [b"bytes"], {"set": {1}}])
def test_what_no_document_here_may_hold_is_refused(document: object) -> None:
    with pytest.raises(TypeError):
        json_text(document)
