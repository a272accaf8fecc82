import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian_archive import sample
from tests.support.served_archives import ServedArchive, served


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ServedArchive]:
    with served(tmp_path) as made:
        yield made


def find(here: ServedArchive, *words: str, status: int = 0) -> tuple[str, str]:
    return here.run("find", "--arch", "amd64", *words, status=status)


def test_the_first_question_makes_the_index_and_says_so(here: ServedArchive) -> None:
    stdout, stderr = find(here, "libssl.so.3")
    assert stdout.split() == [
        "libssl3t64",
        "3.5-1",
        "trixie",
        "amd64",
        "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    ]
    assert "there is no index of stable for amd64 yet; making it" in stderr
    assert "to fetch:" in stderr
    count = len(here.server.requests)
    _, stderr = find(here, "libssl.so.3")
    assert "index of trixie, checked less than a minute ago" in stderr
    assert len(here.server.requests) == count
    _, stderr = find(here, "/usr/bin/openssl")
    assert "the index of stable for amd64 has no paths yet; adding them" in stderr
    assert "there is no index" not in stderr


def test_offline_without_an_index_fails_with_the_remedy(here: ServedArchive) -> None:
    _, stderr = find(here, "--offline", "libssl.so.3", status=125)
    assert "--offline forbids fetching it" in stderr


def test_json_is_a_list_best_first_with_the_contracts_fields(here: ServedArchive) -> None:
    (row,) = json.loads(find(here, "--json", "libssl.so.3")[0])
    assert {"name", "package", "version", "suite", "arch", "path", "source"} <= set(row)
    assert (row["name"], row["package"], row["source"], row["directory"]) == (
        "libssl.so.3", "libssl3t64", "debian", "default",
    )  # fmt: skip
    (place,) = json.loads(find(here, "--json", "openssl")[0])
    assert set(place) == {"name", "package", "version", "suite", "arch", "path", "source"}
    assert place["path"] == "/usr/bin/openssl"


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("openssl", "/usr/bin/openssl"),
        ("/usr/bin/openssl", "/usr/bin/openssl"),
        ("/bin/openssl", "/usr/bin/openssl"),
        ("*.txt", "/usr/share/openssl/a file.txt"),
        ("/usr/**/a*", "/usr/share/openssl/a file.txt"),
    ],
    ids=["command", "path", "merged /usr", "name", "glob"],
)
def test_commands_paths_and_globs_are_found(here: ServedArchive, question: str, path: str) -> None:
    stdout, _ = find(here, question)
    assert stdout.rstrip("\n").endswith(path)


def test_a_bracket_that_nothing_closes_is_a_name_and_a_command_comes_first(here: ServedArchive) -> None:
    contents = {"amd64": b"usr/bin/[   utils/openssl\nusr/share/bash/[   libs/libc6\n"}
    sample(here.archive, contents=contents)
    stdout, _ = find(here, "[")
    assert [line.split()[-1] for line in stdout.splitlines()] == ["/usr/bin/["]


def test_what_nobody_has_is_127_and_near_names_are_told(here: ServedArchive) -> None:
    _, stderr = find(here, "libssl.so.4", status=127)
    assert "nobody in trixie provides libssl.so.4; near: libssl.so.3" in stderr
    _, stderr = find(here, "/usr/bin/nothing", status=127)
    assert "nothing in trixie has /usr/bin/nothing" in stderr


def test_suites_that_could_not_be_searched_are_named_and_the_status_tells(here: ServedArchive) -> None:
    configured = here.root / "config/sources/debian.sources"
    configured.write_text(configured.read_text().replace("stable", "stable nosuch"))
    _, stderr = find(here, "libnone.so.1", status=125)
    assert "nobody in trixie provides libnone.so.1; not searched: nosuch" in stderr
    assert "dists/nosuch/Release: HTTP 404" in stderr
    # What was found is an answer all the same.
    assert find(here, "libssl.so.3")[0].startswith("libssl3t64")


def test_a_search_in_no_suite_that_exists_says_that_none_was_searched(here: ServedArchive) -> None:
    _, stderr = find(here, "--suite", "nosuch", "libssl.so.3", status=125)
    assert "no suite was searched for libssl.so.3; not searched: nosuch" in stderr


def test_a_search_for_paths_names_the_suites_whose_paths_it_knows(here: ServedArchive) -> None:
    sample(here.archive, suite="oldstable", codename="bookworm")
    configured = here.root / "config/sources/debian.sources"
    configured.write_text(configured.read_text().replace("stable", "stable oldstable"))
    find(here, "libnone.so.1", status=127)
    _, stderr = find(here, "/usr/bin/nothing", status=127)
    assert "nothing in trixie has" in stderr
    assert "index of trixie, checked" in stderr
    # Named, a suite gets the paths it lacks although another has them.
    stdout, stderr = find(here, "--suite", "stable", "--suite", "oldstable", "/usr/bin/openssl")
    assert [line.split()[2] for line in stdout.splitlines()] == ["trixie", "bookworm"]


def test_several_names_are_answered_by_name(here: ServedArchive) -> None:
    stdout, _ = find(here, "libssl.so.3", "libcrypto.so.3", "libnone.so.1", status=127)
    assert [line.split()[0] for line in stdout.splitlines()] == ["libssl.so.3", "libcrypto.so.3"]
