from pathlib import Path

from tools.check_layers import circles_below, violations_below

SOURCE = Path(__file__).parent.parent / "src"


def test_no_layer_imports_a_higher_one_and_pure_modules_have_no_effects() -> None:
    assert list(violations_below(SOURCE)) == []


def test_no_modules_import_in_a_circle() -> None:
    assert list(circles_below(SOURCE)) == []


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


def test_a_module_is_held_to_its_docstring_that_calls_it_pure(tmp_path: Path) -> None:
    package = tmp_path / "denizen" / "store"
    package.mkdir(parents=True)
    (package / "marked.py").write_text('"""The dead objects (pure).\n\nMore.\n"""\nimport os\n')
    (package / "unmarked.py").write_text('"""Deletion.\n\nNot (pure).\n"""\nimport os\n')
    (found,) = violations_below(tmp_path)
    assert "store.marked is pure and imports os" in found


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


def package_of(directory: Path, **modules: str) -> Path:
    """Write modules of the package `elf` below `directory`, which is returned."""
    package = directory / "denizen" / "elf"
    package.mkdir(parents=True)
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return directory


def test_a_circle_is_reported_with_all_its_arrows_also_where_one_import_is_lazy(tmp_path: Path) -> None:
    source = package_of(
        tmp_path,
        header="from denizen.elf.image import Image\n",
        image="def f() -> None:\n    from denizen.elf import notes\n",
        notes="from .header import Header\n",
        symbols="from denizen.elf.header import Header\n",
    )
    (found,) = circles_below(source)
    assert found == (
        "circle: denizen.elf.header:1 -> denizen.elf.image, denizen.elf.image:2 -> denizen.elf.notes, "
        "denizen.elf.notes:1 -> denizen.elf.header"
    )


def test_a_circle_through_an_import_for_types_alone_is_reported(tmp_path: Path) -> None:
    source = package_of(
        tmp_path,
        header="if TYPE_CHECKING:\n    from denizen.elf.image import Image\n",
        image="import denizen.elf.header\n",
    )
    assert list(circles_below(source)) == [
        "circle: denizen.elf.header:2 -> denizen.elf.image, denizen.elf.image:1 -> denizen.elf.header"
    ]


def test_a_package_that_imports_its_modules_is_a_circle_only_where_one_imports_it(tmp_path: Path) -> None:
    source = package_of(
        tmp_path,
        __init__="from denizen.elf.header import Header\n",
        header="from denizen.elf.image import Image\n",
        image="",
    )
    assert list(circles_below(source)) == []
    (source / "denizen" / "elf" / "image.py").write_text("from denizen.elf import Header\n")
    (found,) = circles_below(source)
    assert "denizen.elf.image:1 -> denizen.elf" in found
