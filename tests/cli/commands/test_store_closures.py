"""`denizen store why-depends` and `diff-closures`."""

import json
from pathlib import Path

import pytest

from tests.support.denizen_command import denizen, lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def added(root: Path, scratch: Path, name: str, content: str) -> str:
    (scratch / name).write_text(content)
    (place,) = lines(root, "store", "add", scratch / name)
    return place


def test_the_file_and_the_offset_of_a_dependency_are_told(root: Path, tmp_path: Path) -> None:
    leaf = added(root, tmp_path, "leaf-1.0", "x")
    middle = added(root, tmp_path, "middle", f"see {leaf}/x and {leaf}/y")
    top = added(root, tmp_path, "top", middle)
    digest = Path(leaf).name[:32]
    first, below, second, one, other, last = lines(root, "store", "why-depends", top, leaf)
    assert (first, second.strip(), last.strip()) == (top, middle, leaf)
    assert f". (at {len(middle) - len(Path(middle).name)}): " in below
    assert one.strip().startswith(f". (at {4 + len(leaf) - len(Path(leaf).name)}): ")
    assert digest in one
    assert digest in other
    found = json.loads(denizen(root, "store", "why-depends", "--json", top, leaf).stdout)
    assert [step["path"] for step in found] == [top, middle, leaf]
    assert [mention["kind"] for mention in found[1]["mentions"]] == ["content", "content"]


def test_of_long_texts_the_part_around_the_hash_is_shown(root: Path, tmp_path: Path) -> None:
    leaf = added(root, tmp_path, "leaf", "x")
    top = added(root, tmp_path, "top", f"{'a' * 99}{leaf}/{'b' * 99} c")
    mention = lines(root, "store", "why-depends", top, leaf)[1].partition("): ")[2]
    digest = Path(leaf).name[:32]
    assert mention.startswith("…")
    assert mention.endswith("b…")
    assert mention.index(digest) == 25


def test_no_dependency_is_told_by_the_status(root: Path, tmp_path: Path) -> None:
    one, other = (added(root, tmp_path, name, name) for name in ("one", "other"))
    done = denizen(root, "store", "why-depends", one, other, status=1)
    assert b"does not depend on" in done.stderr
    assert done.stdout == b""


def test_closures_are_compared_by_packages(root: Path, tmp_path: Path) -> None:
    old, new = (
        added(root, tmp_path, f"lib-{version}", "x" * size) for version, size in (("1.0", 9), ("1.1", 20000))
    )
    before = added(root, tmp_path, "before", old)
    after = added(root, tmp_path, "after", new)
    found = lines(root, "store", "diff-closures", before, after)
    assert found[0].startswith("after: ∅ → ε, +")
    assert found[1].startswith("before: ε → ∅, -")
    assert found[2].startswith("lib: 1.0 → 1.1, +19.5 KiB")
    assert json.loads(denizen(root, "store", "diff-closures", "--json", old, old).stdout) == []
