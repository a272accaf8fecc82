"""ISO 9660 images made by xorriso: what was put in comes out; what is malformed is refused."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.errors import BadInput
from denizen.formats import iso9660
from denizen.formats.archive_tree import entries
from denizen.formats.iso9660 import BadIso, is_iso, members
from denizen.formats.tar import MemberKind
from tests.support.iso_images import built_image, iso_image, relocated_image
from tests.support.peers import require

_DEEP = "a/b/c/d/e/f/g/h/i/j/k"
_TREE: Mapping[str, bytes] = {
    "AppRun": b"#!/bin/sh\nexit 3\n",
    "usr/bin/a name that ISO 9660 has no room for, in both Cases": b"x" * 5000,
    "usr/lib/zeros": bytes(200_000),
    "usr/lib/text": b"line of text\n" * 40_000,
    "empty": b"",
    f"{_DEEP}/deep": b"deep",
    "\u00e4\u00f6\u00fc": b"bytes",
    "x" * 250: b"long",
}
_LINKS = {
    "usr/link": "../AppRun",
    "absolute": "/etc/passwd",
    "long": "/".join(["component" * 9] * 6),
    "dot": "./empty",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("iso") / "tree"
    for name, content in _TREE.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, target in _LINKS.items():
        (top / name).symlink_to(target)
    (top / "AppRun").chmod(0o755)
    return top


@pytest.mark.parametrize("compressed", [False, True])
def test_what_was_put_in_comes_out(tree: Path, tmp_path: Path, *, compressed: bool) -> None:
    image = iso_image(tree, tmp_path / "image.iso", compressed=compressed)
    if compressed:
        assert len(image) < 600_000
    assert is_iso(image)
    found = {one.name.decode(): (one, b"".join(map(bytes, one.content))) for one in members(image)}
    files = {name: content for name, (one, content) in found.items() if one.kind is MemberKind.FILE}
    assert files == dict(_TREE)
    assert {name: one.target.decode() for name, (one, _) in found.items() if one.target} == _LINKS
    assert found["AppRun"][0].mode == 0o755
    assert found["usr/lib/text"][0].size == len(_TREE["usr/lib/text"])
    order = list(found)
    assert all(os.path.dirname(name) in ("", *order[: order.index(name)]) for name in order)


def test_deep_directories_that_lie_elsewhere_are_where_they_belong(tmp_path: Path) -> None:
    top = tmp_path / "tree"
    (top / _DEEP).mkdir(parents=True)
    (top / _DEEP / "deep").write_bytes(b"deep")
    image = relocated_image(top, tmp_path / "image.iso")
    assert b"CL\x0c\x01" in image
    found = {one.name.decode(): b"".join(map(bytes, one.content)) for one in members(image)}
    assert found[f"{_DEEP}/deep"] == b"deep"
    assert set(found) - {"moved"} == {_DEEP[: 2 * n + 1] for n in range(11)} | {f"{_DEEP}/deep"}


def test_without_rock_ridge_names_are_those_of_the_file_system(tmp_path: Path) -> None:
    top = tmp_path / "tree"
    (top / "usr").mkdir(parents=True)
    (top / "APPRUN").write_bytes(b"run")
    (top / "usr" / "A.TXT").write_bytes(b"text")
    image = iso_image(top, tmp_path / "image.iso", rock_ridge=False)
    found = {one.name: b"".join(map(bytes, one.content)) for one in members(image)}
    assert found == {b"usr": b"", b"apprun": b"run", b"usr/a.txt": b"text"}


def test_a_directory_that_is_listed_twice_is_refused(tree: Path, tmp_path: Path) -> None:
    image = bytearray(iso_image(tree, tmp_path / "image.iso"))
    root = int.from_bytes(image[16 * 2048 + 158 : 16 * 2048 + 162], "little")
    at = image.index(b"\x03USR", root * 2048) - 32
    image[at + 2 : at + 6] = root.to_bytes(4, "little")
    with pytest.raises(BadIso, match="twice"):
        list(members(bytes(image)))


def test_claims_beyond_the_images_size_are_refused(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = iso_image(tree, tmp_path / "image.iso", compressed=True)
    monkeypatch.setattr(iso9660, "SMALL", 0)
    monkeypatch.setattr(iso9660, "MAX_SWELL", 0)
    with pytest.raises(BadIso, match="times the image's size"):
        list(members(image))


@pytest.mark.parametrize("content", [b"", bytes(40_000), b"\x01CD001" * 9000])
def test_what_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises((BadIso, Truncated)):
        list(members(content))


def test_an_image_made_byte_by_byte_is_read() -> None:
    found = {one.name: (one.target, b"".join(map(bytes, one.content))) for one in members(built_image())}
    assert found == {
        b"AppRun": (b"", b"text\n" * 300),
        b"link": (b"../AppRun", b""),
        b"usr": (b"", b""),
        b"usr/zeros": (b"", bytes(40_000)),
    }


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_is_a_refusal_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(built_image())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(16 * 2048, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        for one in entries(members(bytes(content))):
            for piece in getattr(one, "content", ()):
                assert len(piece) <= 1 << 20
    except BadInput:
        pass


def test_the_peer_lists_the_same(tree: Path, tmp_path: Path) -> None:
    require("xorriso")
    iso_image(tree, tmp_path / "image.iso")
    command = ["xorriso", "-indev", str(tmp_path / "image.iso"), "-find", "/", "-exec", "echo"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    listed = {line.strip("'")[1:] for line in done.stdout.splitlines() if line.startswith("'/")}
    assert {one.name.decode() for one in members((tmp_path / "image.iso").read_bytes())} == listed - {""}
