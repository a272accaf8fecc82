import os
from pathlib import Path

from denizen.formats.storepath import StorePath
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.realisations import realised_path, record_realisation
from tests.support.stores import add_text, make_store

MODULO = bytes(range(32))


def test_what_an_output_became_is_remembered_and_replaced(tmp_path: Path) -> None:
    with make_store(tmp_path / "store") as store:
        assert realised_path(store.layout, MODULO, b"out") is None
        for name in ("first", "second"):
            record_realisation(store.layout, MODULO, b"out", StorePath("0" * 32, name))
            assert realised_path(store.layout, MODULO, b"out") == StorePath("0" * 32, name)
        assert realised_path(store.layout, MODULO, b"dev") is None


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    with make_store(tmp_path / "store") as store:
        record_realisation(store.layout, MODULO, b"out", StorePath("0" * 32, "x"))
        (file,) = (Path(os.fsdecode(store.layout.state)) / "realisations").iterdir()
        file.write_bytes(b"../../etc/passwd\n")
        assert realised_path(store.layout, MODULO, b"out") is None


def test_a_collection_forgets_what_is_gone(tmp_path: Path) -> None:
    with make_store(tmp_path / "store") as store:
        kept = add_text(store, tmp_path / "scratch", "kept", "x").path
        os.symlink(store.place_of(kept), store.layout.gcroots + b"/kept")
        gone = add_text(store, tmp_path / "scratch", "gone", "y").path
        record_realisation(store.layout, MODULO, b"kept", kept)
        record_realisation(store.layout, MODULO, b"gone", gone)
        collect(store, Limits())
        assert realised_path(store.layout, MODULO, b"kept") == kept
        assert realised_path(store.layout, MODULO, b"gone") is None
