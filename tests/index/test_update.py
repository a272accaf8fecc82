"""An index update: what it fetches, makes and tells."""

import pytest

from denizen.index.library_index import LibraryIndex
from denizen.index.library_paths import DirectoryKind
from denizen.index.locate import Index
from denizen.index.update_targets import UpdatePlan, UpdateTarget
from denizen.sources.base import (
    Scope,
    SilentTransfer,
)
from tests.support.debian_archive import DATE, package_paragraph, sample
from tests.support.debian_sources import A_DAY, debian, update
from tests.support.indexed_archives import LATER, IndexedArchive, names_of


def test_a_first_update_makes_an_index_that_answers(indexed: IndexedArchive) -> None:
    outcome = indexed.update()
    assert (outcome.changed, outcome.failure) == (True, None)
    index = Index(bytes(indexed.index), "amd64")
    (provider,) = index.providers(b"libssl.so.3")
    assert (provider.package, provider.version, provider.kind) == (
        b"libssl3t64",
        b"3.5-1",
        DirectoryKind.DEFAULT,
    )
    assert provider.path == b"/usr/lib/x86_64-linux-gnu/libssl.so.3"
    assert (provider.source, provider.suite, provider.architecture) == ("debian", "trixie", "amd64")
    assert (provider.dependents, provider.depends) == (1, b"libc6 (>= 2.38)")
    (libc,) = index.packages(b"libc6")
    assert (libc.essential, libc.source_package, libc.dependents) == (True, b"glibc", 2)
    index.close()


def test_nothing_new_costs_one_request_and_says_when_it_was_checked(indexed: IndexedArchive) -> None:
    first = indexed.update()
    count = len(indexed.server.requests)
    second = indexed.update(now=DATE + 2 * A_DAY)
    assert not second.changed
    assert (len(indexed.server.requests), indexed.server.unchanged) == (count + 1, 1)
    assert first.entry is not None
    assert second.entry is not None
    assert (second.entry.libraries, second.entry.checked) == (first.entry.libraries, DATE + 2 * A_DAY)


def test_an_index_that_an_older_denizen_made_is_made_again(
    indexed: IndexedArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed.update()
    monkeypatch.setattr(LibraryIndex, "has_recommended", property(lambda _self: False))
    again = indexed.update()
    assert (again.changed, again.failure, again.added, again.removed) == (True, None, 0, 0)
    monkeypatch.undo()
    assert not indexed.update().changed


def test_an_update_fetches_only_what_changed_and_tells_the_difference(indexed: IndexedArchive) -> None:
    indexed.update()
    sample(
        indexed.archive,
        date=LATER,
        packages=[
            package_paragraph("libssl3t64", "3.5-2"),
            package_paragraph("libc6", "2.41-12"),
            package_paragraph("brand-new"),
        ],
    )
    indexed.server.requests.clear()
    outcome = indexed.update()
    assert (outcome.added, outcome.removed, outcome.altered) == (1, 2, 1)
    # InRelease and Packages; Contents is the same file as before.
    assert len(indexed.server.requests) == 2
    assert indexed.files() == sorted(["lock", "manifest", *names_of(outcome)])


def test_paths_are_added_when_they_are_first_wanted_and_kept_up_to_date_then(indexed: IndexedArchive) -> None:
    indexed.update()
    indexed.server.requests.clear()
    outcome = indexed.update(Scope.PATHS)
    assert (outcome.changed, len(indexed.server.requests)) == (True, 2)
    index = Index(bytes(indexed.index), "amd64")
    (place,) = index.commands(b"openssl")
    assert (place.path, place.package, place.version) == (b"/usr/bin/openssl", b"openssl", b"3.5-1")
    index.close()
    sample(indexed.archive, date=LATER)
    later = indexed.update()
    assert later.entry is not None
    assert later.entry.paths.endswith(".paths")


def test_the_plan_is_told_before_anything_is_fetched(indexed: IndexedArchive) -> None:
    source = debian([indexed.server.url], indexed.lists)
    told: list[tuple[int, int]] = []

    def planned(plans: object) -> None:
        assert isinstance(plans, list)
        (plan,) = plans
        assert isinstance(plan, UpdatePlan)
        told.append((plan.size, len(indexed.server.requests)))

    update(
        bytes(indexed.index),
        [UpdateTarget(source, "stable", "amd64", 0, Scope.PATHS)],
        SilentTransfer(),
        planned=planned,
    )
    ((size, requests),) = told
    assert size > 0
    assert requests == 1
