"""The list of modules has each module's own first sentence, of Python's and of C's."""

from pathlib import Path

import pytest

from tools.list_modules import first_sentence, rows_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The store (pure).\n\nMore.", "The store"),
        ("One of\ntwo. It does more.", "One of two"),
        ("Files of `a.toml` (see b.c). Others", "Files of `a.toml` (see b.c)"),
    ],
)
def test_a_line_is_the_first_sentence(text: str, expected: str) -> None:
    assert first_sentence(text) == expected


def test_a_c_file_without_a_comment_is_what_its_header_is(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text('#include "one.h"\n')
    (tmp_path / "one.h").write_text("/* A plan | a list. */\n")
    (tmp_path / "__init__.py").write_text('"""The folder."""\n')
    assert list(rows_of(tmp_path)) == ["| one.c | A plan \\| a list |\n"]
