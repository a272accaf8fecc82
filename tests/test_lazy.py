import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from denizen import elf, linker


def test_a_name_is_imported_when_it_is_asked_for_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "sleepy"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from denizen.lazy import importing\n__getattr__ = importing(__name__, {'Part': 'parts'})\n"
    )
    (package / "parts.py").write_text("class Part:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("sleepy")
    assert "sleepy.parts" not in sys.modules
    assert module.Part is module.parts.Part
    assert vars(module)["Part"] is module.Part


@pytest.mark.parametrize("package", [elf, linker])
def test_every_exported_name_is_there(package: object) -> None:
    for name in vars(package)["__all__"]:
        assert getattr(package, name) is not None


@pytest.mark.parametrize("package", [elf, linker])
def test_no_exported_name_is_that_of_a_module(package: ModuleType) -> None:
    """An import of the module would put it in the place of what is exported."""
    exported = set(inspect.getclosurevars(vars(package)["__getattr__"]).nonlocals["modules"])
    assert exported
    assert exported.isdisjoint(module.name for module in pkgutil.iter_modules(package.__path__))


@pytest.mark.parametrize("package", [elf, linker])
def test_a_name_that_is_not_exported_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing  # type: ignore[attr-defined]  # what is tested
