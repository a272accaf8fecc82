import json
from pathlib import Path

import pytest

from denizen.formats.storepath import StorePath
from denizen.store.closure_difference import SMALLEST, closure_difference, package_name
from denizen.store.object_info import ObjectInfo
from tests.support.nix import private_nix

NAMES = [
    "hello-2.12.1", "glibc-2.35-224", "gcc-wrapper-12.2.0", "a-1b", "x", "lib-x-y",
    "python3.11-requests-2.28", "-1", "e2fsprogs-1.46", "libc6-2.36-9+deb12u9", "name-", "a--1",
]  # fmt: skip


def info(name: str, size: int) -> ObjectInfo:
    return ObjectInfo(StorePath("0" * 32, name), bytes(32), size)


def test_packages_that_came_went_and_changed_are_told() -> None:
    before = [
        info("gone-1.0", 10),
        info("new-1.0", 100),
        info("same-3", 5),
        info("two-1", 1),
        info("two-2", 1),
    ]
    after = [info("came-2", 20), info("new-1.1", 150), info("same-3", 5), info("two-2", 1)]
    assert [(one.name, one.before, one.after, one.growth) for one in closure_difference(before, after)] == [
        ("came", (), ("2",), 20),
        ("gone", ("1.0",), (), -10),
        ("new", ("1.0",), ("1.1",), 50),
        ("two", ("1", "2"), ("2",), -1),
    ]


def test_growth_alone_is_told_from_a_size_on() -> None:
    grown = [info("x-1", SMALLEST + 1)]
    assert [one.growth for one in closure_difference([info("x-1", 1)], grown)] == [SMALLEST]
    assert closure_difference([info("x-1", 2)], grown) == ()


def test_outputs_belong_to_their_package() -> None:
    assert package_name("openssl-3.0.1-dev") == ("openssl", "3.0.1")
    assert closure_difference([info("a-1", 1), info("a-1-dev", 1)], [info("a-1", 2)]) == ()


@pytest.mark.peer
def test_names_are_taken_apart_as_nix_does(tmp_path: Path) -> None:
    nix = private_nix(tmp_path / "nix")
    expression = f"map builtins.parseDrvName (builtins.fromJSON {json.dumps(json.dumps(NAMES))})"
    found = json.loads(nix.run("nix-instantiate", "--eval", "--strict", "--json", "--expr", expression))
    assert [(one["name"], one["version"]) for one in found] == [package_name(name) for name in NAMES]
