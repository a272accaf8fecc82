from pathlib import Path

from tools.check_layers import violations_below

SOURCE = Path(__file__).parent.parent / "src"


def test_no_layer_imports_a_higher_one_and_pure_modules_have_no_effects() -> None:
    assert list(violations_below(SOURCE)) == []


def test_an_upward_import_is_reported(tmp_path: Path) -> None:
    package = tmp_path / "denizen" / "elf"
    package.mkdir(parents=True)
    (package / "header.py").write_text("from denizen.cli import output\n")
    (found,) = violations_below(tmp_path)
    assert "header.py:1: elf.header imports denizen.cli.output, a higher layer" in found


def test_an_effect_in_a_pure_module_is_reported_also_inside_a_function(tmp_path: Path) -> None:
    package = tmp_path / "denizen" / "nar"
    package.mkdir(parents=True)
    (package / "reader.py").write_text("def f() -> None:\n    import os.path\n")
    (found,) = violations_below(tmp_path)
    assert "reader.py:2: nar.reader is pure and imports os.path" in found


def test_a_relative_import_is_resolved_before_it_is_judged(tmp_path: Path) -> None:
    package = tmp_path / "denizen" / "elf"
    package.mkdir(parents=True)
    (package / "header.py").write_text("from ..cli import output\n")
    (found,) = violations_below(tmp_path)
    assert "a higher layer" in found


def test_a_module_in_no_layer_is_reported(tmp_path: Path) -> None:
    (tmp_path / "denizen").mkdir()
    (tmp_path / "denizen" / "misc.py").write_text("")
    (found,) = violations_below(tmp_path)
    assert "misc is in no layer" in found
