import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from denizen.store.reference_offsets import _in_content, dependency_chain, mentions_of
from tests.support.stores import add_text, make_store

DIGEST = b"0123456789abcdfghijklmnpqrsvwxyz"


def test_content_links_and_names_are_told_with_their_offsets(tmp_path: Path) -> None:
    top = tmp_path / "tree"
    top.mkdir()
    (top / "file").write_bytes(b"\0\0see /nix/store/%b-lib/lib.so \xff" % DIGEST)
    (top / "link").symlink_to(f"../{DIGEST.decode()}-lib")
    (top / f"x-{DIGEST.decode()}").touch()
    (top / "other").write_bytes(DIGEST[:-1])
    found = [(one.file, one.kind, one.offset, one.text) for one in mentions_of(os.fsencode(top), DIGEST)]
    assert found == [
        (b"file", "content", 17, b"/nix/store/%b-lib/lib.so" % DIGEST),
        (b"link", "link", 3, b"../%b-lib" % DIGEST),
        (b"x-" + DIGEST, "name", 2, b"x-" + DIGEST),
    ]


@given(st.lists(st.sampled_from([DIGEST, b"x", DIGEST[:7], DIGEST[7:], b"\0"]), max_size=8), st.data())
def test_however_a_content_comes_each_mention_is_found_once(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    expected = [at for at in range(len(content)) if content.startswith(DIGEST, at)]
    assert [offset for offset, _ in _in_content(pieces, DIGEST)] == expected


def test_a_chain_is_a_shortest_one(tmp_path: Path) -> None:
    with make_store(tmp_path / "store") as store:
        leaf = add_text(store, tmp_path / "scratch", "leaf", "x")
        middle = add_text(store, tmp_path / "scratch", "middle", str(leaf.path))
        top = add_text(store, tmp_path / "scratch", "top", f"{middle.path} {leaf.path}")
        far = add_text(store, tmp_path / "scratch", "far", f"{middle.path}")
        assert [step.path for step in dependency_chain(store, top.path, leaf.path)] == [top.path, leaf.path]
        chain = dependency_chain(store, far.path, leaf.path)
        assert [step.path for step in chain] == [far.path, middle.path, leaf.path]
        assert [one.file for one in chain[1].mentions] == [b""]
        assert dependency_chain(store, leaf.path, top.path) == ()
        assert [step.path for step in dependency_chain(store, leaf.path, leaf.path)] == [leaf.path]
