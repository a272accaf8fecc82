"""What builds read of recipes."""

from collections.abc import Sequence

from denizen.recipes.findings_table import parse_findings, write_findings
from denizen.recipes.project_develop import parse_develop
from denizen.recipes.recipe import parse_recipe

TOKENS = (
    b'name = "a"\n', b'version = "1"\n', b"[[sources]]\n", b"path = ", b"url = [", b"sha256 = ",
    b"[inputs]\n",
    b"[phases]\n", b"[hooks]\npre-", b"[flags]\n", b"[env]\n", b'"', b"]", b"\n", b"{", b"true", b"3",
)  # fmt: skip
FINDING_TOKENS = (b"late", b"\t", b"liba.so", b"\n", b"liba1", b" ", b"/", b"\0")
_SMALL = b"""name = "a"
version = "1"
kind = "make"
patches = ["p"]
[[sources]]
url = "https://a.example/x"
sha256 = "%s"
[[sources]]
path = "."
[inputs]
packages = ["a"]
[phases]
build = "b"
[hooks]
pre-build = "p"
[flags]
make = ["x"]
[env]
A = "b"
""" % (b"0" * 64)


def read_recipe(data: bytes) -> None:
    recipe = parse_recipe(data, "/x/recipe.toml")
    assert "/" not in recipe.full_name


def recipes() -> Sequence[bytes]:
    return [_SMALL, b'name = "a"\nversion = "1"\n']


def large_recipes() -> Sequence[bytes]:
    return [_SMALL + b"[[sources]]\n" * 20_000, b"a = " + b"[" * 200_000, b'name = "' + b"a" * 500_000 + b'"']


def read_findings(data: bytes) -> None:
    found = parse_findings(data)
    if len(found) < 100:
        assert set(parse_findings(write_findings(found))) == set(found)


def findings() -> Sequence[bytes]:
    return [b"late\tliba.so.1\tliba1\nb\tc.so\tdd\n", b""]


def large_findings() -> Sequence[bytes]:
    return [b"late\tliba.so.1\tliba1\n" * 50_000, b"a" * 1_000_000]


def read_develop(data: bytes) -> None:
    declared = parse_develop(data, "/x/denizen.toml")
    assert declared is None or declared.full_name == "x-0"


def develop_tables() -> Sequence[bytes]:
    return [b'[develop]\npackages = ["a"]\nkind = "make"\nrecipes = ["../b"]\n[develop.env]\nA = "b"\n']


def large_develop_tables() -> Sequence[bytes]:
    return [b"[develop]\npackages = [" + b'"a", ' * 50_000 + b"]\n", b"a = " + b"[" * 200_000]
