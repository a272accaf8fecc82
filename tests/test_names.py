from pathlib import Path

import pytest

from tools.check_names import violations_below

SOURCE = Path(__file__).parent.parent / "src"


def violations_of(directory: Path, **modules: str) -> list[str]:
    package = directory / "denizen"
    package.mkdir()
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return list(violations_below(directory))


@pytest.mark.unmeasured
def test_class_names_are_unique_and_docstrings_name_their_object() -> None:
    assert list(violations_below(SOURCE)) == []


def test_a_class_name_that_two_modules_define_is_reported(tmp_path: Path) -> None:
    text = 'class Rule:\n    """A rule."""\n'
    (found,) = violations_of(tmp_path, one=text, two=text)
    assert "one.py:1: the class name Rule stands also at" in found
    assert "two.py:1" in found


def test_a_public_function_or_method_without_a_docstring_is_reported(tmp_path: Path) -> None:
    text = 'def f() -> None: ...\nclass C:\n    """A class."""\n    def g(self) -> None: ...\n'
    assert [line.partition(": ")[2] for line in violations_of(tmp_path, one=text)] == [
        "f has no docstring",
        "C.g has no docstring",
    ]


def test_a_private_function_needs_no_docstring(tmp_path: Path) -> None:
    assert violations_of(tmp_path, one="def _f() -> None:\n    def g() -> None: ...\n") == []


def test_a_method_is_documented_by_its_protocol(tmp_path: Path) -> None:
    protocol = 'class P(Protocol):\n    """A protocol."""\n    def g(self) -> None:\n        """Do it."""\n'
    text = 'class C:\n    """A class."""\n    def g(self) -> None: ...\n'
    assert violations_of(tmp_path, one=protocol, two=text) == []


def test_a_docstring_that_begins_with_a_question_or_points_elsewhere_is_reported(tmp_path: Path) -> None:
    for number, beginning in enumerate(("Whether it is", "What came", "The same for others", "As before")):
        directory = tmp_path / str(number)
        directory.mkdir()
        (found,) = violations_of(directory, one=f'def _f() -> None:\n    """{beginning}."""\n')
        assert f"the docstring of _f begins so: '{beginning}" in found


def test_the_docstring_of_a_module_is_held_to_the_same_rule(tmp_path: Path) -> None:
    (found,) = violations_of(tmp_path, one='"""What decides."""\n')
    assert "one.py:1: the docstring of the module begins so: 'What decides.'" in found


def test_a_docstring_that_begins_with_a_longer_word_is_not_reported(tmp_path: Path) -> None:
    text = 'def f() -> None:\n    """Assign it."""\nclass C:\n    """Items of a list."""\n'
    assert violations_of(tmp_path, one=text) == []
