import os
from pathlib import Path

import pytest

from denizen.app.supply.configured_sources import configured_sources
from denizen.app.supply.ensure_index import ensure, run_update, targets_of
from denizen.app.supply.liblzma_setup import bring_decoder, decoder_words, provide_decoder
from denizen.build import liblzma_choice
from denizen.build.liblzma_choice import FILE, SONAME, DecoderChoice
from denizen.cli.command import Context
from denizen.formats import compression
from denizen.sources.base import Scope, SilentTransfer
from denizen.sources.fetch_policy import FetchPolicy
from denizen.store.local import Store
from tests.support.command_context import context_of
from tests.support.debs import Item
from tests.support.memory_archive import library
from tests.support.offline_roots import DenizenHome

NEW = "5.8.1-1"
UNFIT = library(SONAME, b"libc.so.6", b"libnone.so.7")


@pytest.fixture
def home(tmp_path: Path) -> DenizenHome:
    return DenizenHome(tmp_path)


@pytest.fixture
def own() -> bytes:
    """The host's liblzma; it stands for a newer one."""
    found = next(Path("/usr/lib/x86_64-linux-gnu").glob("liblzma.so.5"), None)
    if found is None:
        pytest.skip("there is no /usr/lib/x86_64-linux-gnu/liblzma.so.5 to make a package of")
    return found.read_bytes()


@pytest.fixture
def context(home: DenizenHome, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Where Python's own liblzma is taken for an old one."""
    monkeypatch.setattr(liblzma_choice, "standing", lambda: DecoderChoice(helped=True, reason="it is old"))
    monkeypatch.setattr(compression, "_preferred", [])
    return context_of(os.environ, os.fspath(home.root), verbosity=-1)


def offer(context: Context, home: DenizenHome, content: bytes, version: str = NEW) -> None:
    """A package in the archive, and in the index; not by the command, which would bring it already."""
    home.write("liblzma5", [Item("./" + FILE.decode(), content=content)], version)
    sources = configured_sources(context.session, FetchPolicy(), SilentTransfer())
    run_update(
        context.session, targets_of(sources, ("debian",), ("amd64",), Scope.LIBRARIES), SilentTransfer()
    )


def roots(home: DenizenHome) -> list[str]:
    place = home.root / "data/store/.denizen/gcroots/decoder"
    return os.listdir(place) if place.exists() else []


def test_the_first_index_brings_it_and_doctor_says_so(
    home: DenizenHome, context: Context, own: bytes
) -> None:
    home.write("liblzma5", [Item("./" + FILE.decode(), content=own)], NEW)
    ensure(context.session, ("debian",), "amd64", Scope.LIBRARIES, FetchPolicy())
    assert len(roots(home)) == 1
    assert "from the store" in decoder_words(context.session)[0]
    # Once it is there nobody is asked again.
    (home.debs / f"liblzma5_{NEW}_amd64.deb").unlink()
    provide_decoder(context.session, FetchPolicy())
    bring_decoder(context.session)
    assert compression.xz_decoder().decompress(b"") == b""


@pytest.mark.parametrize("version", ["5.4.1-1", "5.6.1-1", "5.6.1+really5.4.5-1"])
def test_old_ones_and_those_with_the_backdoor_are_left_alone(
    home: DenizenHome, context: Context, own: bytes, version: str
) -> None:
    offer(context, home, own, version)
    provide_decoder(context.session, FetchPolicy())
    assert not roots(home)
    assert decoder_words(context.session)[0] == "Python's own: it is old"


def test_one_that_would_not_load_is_not_kept_and_not_judged_at_each_start(
    home: DenizenHome, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(context, home, UNFIT)
    provide_decoder(context.session, FetchPolicy())
    assert not roots(home)
    assert "does not load here: it needs libnone.so.7" in decoder_words(context.session)[0]
    (home.root / "cache/packages").mkdir(exist_ok=True)
    (home.root / "cache/packages/0-liblzma5_1.deb").touch()  # as if one were at hand
    monkeypatch.setattr(liblzma_choice, "refusal_reason", lambda *_: pytest.fail("it was examined before"))
    bring_decoder(context.session)


def test_where_it_cannot_be_had_nothing_fails(home: DenizenHome, context: Context, own: bytes) -> None:
    bring_decoder(context.session)  # no index either
    offer(context, home, own)
    (home.debs / f"liblzma5_{NEW}_amd64.deb").unlink()
    provide_decoder(context.session, FetchPolicy(offline=True))
    bring_decoder(context.session)
    assert not roots(home)


def test_a_python_that_needs_no_help_makes_no_store(home: DenizenHome, context: Context, own: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(liblzma_choice, "standing", lambda: DecoderChoice(helped=False, reason="it is fast"))
        offer(context, home, own)
        provide_decoder(context.session, FetchPolicy())
        assert decoder_words(context.session)[0] == "Python's own: it is fast"
    assert not roots(home)


def test_what_was_brought_is_an_object_like_any(home: DenizenHome, context: Context, own: bytes) -> None:
    offer(context, home, own)
    provide_decoder(context.session, FetchPolicy())
    (name,) = roots(home)
    with Store.open(os.fsencode(home.root / "data/store")) as store:
        place = (home.root / "data/store/.denizen/gcroots/decoder" / name).resolve()
        assert store.is_valid(store.path_at(os.fsencode(place)))
