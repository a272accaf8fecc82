"""An index update where suites have several names, or new ones."""

from denizen.index.index_manifest import read_manifest
from denizen.index.update_targets import UpdateTarget
from denizen.sources.base import Scope, SilentTransfer
from denizen.sources.errors import Downgrade
from tests.support.debian_archive import sample
from tests.support.debian_sources import debian, update
from tests.support.indexed_archives import LATER, IndexedArchive, names_of


def test_two_names_of_a_suite_share_one_index(indexed: IndexedArchive) -> None:
    indexed.archive.name_too("stable", "trixie")
    source = debian([indexed.server.url], indexed.lists)
    first = indexed.update()
    by_alias, by_codename = (
        UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")
    )
    (second,) = update(bytes(indexed.index), [by_codename], SilentTransfer())
    assert (first.changed, second.changed) == (True, False)
    (entry,) = read_manifest(bytes(indexed.index))
    assert (entry.asked, entry.suite) == (("stable", "trixie"), "trixie")
    indexed.server.requests.clear()
    outcomes = update(bytes(indexed.index), [by_alias, by_codename], SilentTransfer(), force=True)
    assert [outcome.changed for outcome in outcomes] == [True, False]
    assert indexed.providers(b"libssl.so.3") == [b"libssl3t64"]


def test_a_name_that_moves_on_to_another_suite_leaves_the_old_one_its_other_names(
    indexed: IndexedArchive,
) -> None:
    indexed.archive.name_too("stable", "trixie")
    source = debian([indexed.server.url], indexed.lists)
    targets = [UpdateTarget(source, name, "amd64", 0, Scope.LIBRARIES) for name in ("stable", "trixie")]
    update(bytes(indexed.index), targets, SilentTransfer())
    sample(indexed.archive, codename="forky", date=LATER)
    source = debian([indexed.server.url], indexed.lists)
    update(
        bytes(indexed.index), [UpdateTarget(source, "stable", "amd64", 0, Scope.LIBRARIES)], SilentTransfer()
    )
    found = {(entry.suite, entry.asked) for entry in read_manifest(bytes(indexed.index))}
    assert found == {("trixie", ("trixie",)), ("forky", ("stable",))}


def test_a_suite_nobody_asks_for_any_more_is_dropped(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(indexed.archive, codename="forky", date=LATER)
    outcome = indexed.update()
    (entry,) = read_manifest(bytes(indexed.index))
    assert (entry.suite, entry.asked) == ("forky", ("stable",))
    assert indexed.files() == sorted(["lock", "manifest", *names_of(outcome)])


def test_another_name_cannot_bring_an_older_state(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(indexed.archive, directory="trixie", date="Fri, 10 Jul 2026 10:16:37 UTC")
    source = debian([indexed.server.url], indexed.lists)
    target = UpdateTarget(source, "trixie", "amd64", 0, Scope.LIBRARIES)
    (outcome,) = update(bytes(indexed.index), [target], SilentTransfer())
    assert isinstance(outcome.failure, Downgrade)
