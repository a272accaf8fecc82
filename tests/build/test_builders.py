import bz2
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.build.builders import NoSuchBuilder
from denizen.build.builtin_derivations import Ingredient, made_by, recipe
from denizen.build.builtin_fetch import NotFetched, NotOpened, fetching, fetching_executable
from denizen.build.builtin_libraries import MissingLibraries, linking
from denizen.build.builtin_union import UnionPart, uniting
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.derivation import BadDerivation
from denizen.build.package_unpack import NotUnpacked
from denizen.build.union_plan import Conflict
from denizen.formats.archive_tree import Layout
from denizen.formats.hashes import Hash
from denizen.value import replace
from tests.formats.test_compression import bomb
from tests.support import debs
from tests.support.debs import Item, directory, hard_link, symlink
from tests.support.derivations import BuildStore
from tests.support.generated_trees import entries_on_disk, file, nar


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BuildStore]:
    made = BuildStore(tmp_path)
    yield made
    assert made.left_behind() == []
    made.store.close()


def sha256(content: bytes) -> Hash:
    return Hash("sha256", hashlib.sha256(content).digest())


def package(shop: BuildStore, name: str, *items: Item) -> Ingredient:
    """A package, fetched and unpacked."""
    source = shop.fetched(f"{name}.deb", debs.deb(items))
    unpacked = shop.derive(name, unpacking(made_by(source), shop.store_dir))
    shop.realise(unpacked)
    return made_by(unpacked)


def test_a_fetched_file_is_an_object_named_by_its_hash(shop: BuildStore) -> None:
    one = shop.fetched("file", b"content")
    shop.realise(one)
    assert shop.place(one).read_bytes() == b"content"
    info = shop.store.info(one.outputs[b"out"])
    assert info.nar_hash == hashlib.sha256(nar(file(b"", b"content"))).digest()
    assert (info.deriver, info.references) == (one.path, ())
    # As Nix writes it: whoever is given the object needs no signature to trust it.
    assert info.content_address == f"fixed:{sha256(b'content').nix}"


def test_an_executable_is_fetched_as_one(shop: BuildStore) -> None:
    shop.opener.contents["https://x/run"] = [b"#!/bin/", b"sh\n"]
    value = sha256(nar(file(b"", b"#!/bin/sh\n", executable=True)))
    one = shop.derive("run", fetching_executable(["https://x/run"], value, shop.store_dir))
    shop.realise(one)
    assert stat.S_IMODE(shop.place(one).stat().st_mode) == 0o555


def test_the_next_url_is_tried_when_one_fails_or_lies(shop: BuildStore) -> None:
    urls = [f"https://{host}/x" for host in ("gone", "broken", "wrong", "long", "good", "unasked")]
    broken = NotOpened(urls[1], "Connection refused")
    shop.opener.contents = {
        urls[1]: broken, urls[2]: [b"others!"], urls[3]: [b"content", b"!"] * 9, urls[4]: [b"con", b"tent"]
    }  # fmt: skip
    one = shop.derive("x", fetching(urls, sha256(b"content"), shop.store_dir, size=7))
    shop.realise(one)
    assert shop.place(one).read_bytes() == b"content"
    assert shop.opener.asked == urls[:5]


def test_a_wrong_hash_leaves_nothing_and_says_what_came(shop: BuildStore) -> None:
    shop.opener.contents["https://x/x"] = [b"evil"]
    one = shop.derive("x", fetching(["https://x/x", "https://y/x"], sha256(b"good"), shop.store_dir))
    with pytest.raises(NotFetched) as caught:
        shop.realise(one)
    assert sha256(b"evil").sri in caught.value.why
    assert "https://y/x: " in caught.value.why
    assert sha256(b"good").sri in caught.value.why
    assert not shop.store.is_valid(one.outputs[b"out"])


def test_only_where_nobody_answers_is_the_network_to_be_checked(shop: BuildStore) -> None:
    urls = ["https://gone/x", "https://silent/x"]
    one = shop.derive("x", fetching(urls, sha256(b"content"), shop.store_dir, size=7))
    with pytest.raises(NotFetched) as caught:
        shop.realise(one)
    assert "network" not in caught.value.remedy
    shop.opener.contents[urls[1]] = NotOpened(urls[1], "Connection refused")
    with pytest.raises(NotFetched) as caught:
        shop.realise(one)
    assert "check the network" in caught.value.remedy


def test_a_url_that_never_ends_is_left_at_the_promised_size(shop: BuildStore) -> None:
    pieces = 0

    def endless() -> Iterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b"x" * 1000

    shop.opener.contents["https://x/x"] = endless()  # type: ignore[assignment]  # iterated once is enough
    one = shop.derive("x", fetching(["https://x/x"], sha256(b"x"), shop.store_dir, size=10_000))
    with pytest.raises(NotFetched, match="10000 bytes were expected"):
        shop.realise(one)
    assert pieces == 11


def test_a_file_shorter_than_promised_is_refused(shop: BuildStore) -> None:
    shop.opener.contents["https://x/x"] = [b"x"]
    one = shop.derive("x", fetching(["https://x/x"], sha256(b"x"), shop.store_dir, size=2))
    with pytest.raises(NotFetched, match="2 bytes were expected, 1 came"):
        shop.realise(one)


def test_a_package_is_unpacked_into_an_object(shop: BuildStore) -> None:
    one = package(
        shop,
        "hello",
        directory("./"),
        Item("./usr/bin/hello", content=b"#!", mode=0o4755),
        hard_link("./usr/bin/hi", "./usr/bin/hello"),
        Item("./usr/share/doc", content=b"text", mode=0o600),
        symlink("./usr/bin/h", "hello"),
        symlink("./etc/h", "/usr/bin/hello"),
        symlink("./etc/alternative", "/etc/alternatives/h"),
        # Out of order: a directory that was left gets another file.
        Item("./usr/bin/last", content=b"x"),
    )
    top = Path(os.fsdecode(shop.store.place_of(one.path)))
    assert (top / "usr/bin/hi").read_bytes() == b"#!"
    assert os.readlink(top / "etc/h") == "../usr/bin/hello"
    assert os.readlink(top / "etc/alternative") == "/etc/alternatives/h"
    modes = {
        name: stat.S_IMODE((top / name).stat().st_mode) for name in ("usr/bin/hello", "usr/share/doc", "usr")
    }
    assert modes == {"usr/bin/hello": 0o555, "usr/share/doc": 0o444, "usr": 0o555}
    digest = hashlib.sha256(nar(*entries_on_disk(top))).digest()
    assert shop.store.info(one.path).nar_hash == digest


def test_a_merged_package_lies_below_usr(shop: BuildStore) -> None:
    source = shop.fetched("x.deb", debs.deb([Item("./lib/x")]))
    one = shop.derive("x", unpacking(made_by(source), shop.store_dir, Layout.USR_MERGED))
    shop.realise(one)
    assert (shop.place(one) / "usr/lib/x").exists()


@pytest.mark.parametrize(
    "items",
    [
        [Item("/tmp/denizen-escaped", content=b"x")],
        [Item("./good"), Item("./../denizen-escaped")],
        [symlink("./out", "/tmp"), Item("./out/denizen-escaped")],
        [symlink("./out", "../../../../tmp")],
        [hard_link("./x", "/etc/passwd")],
        [hard_link("./x", "../../etc/passwd")],
        [Item("./good"), Item("./dev/null", tarfile.CHRTYPE)],
        [Item("./twice"), Item("./twice")],
    ],
)
def test_a_hostile_package_leaves_nothing_inside_or_outside(shop: BuildStore, items: list[Item]) -> None:
    source = shop.fetched("evil.deb", debs.deb(items))
    one = shop.derive("evil", unpacking(made_by(source), shop.store_dir))
    with pytest.raises(NotUnpacked) as caught:
        shop.realise(one)
    assert "refused" in caught.value.why
    assert not shop.store.is_valid(one.outputs[b"out"])
    assert not shop.place(one).exists()
    assert not Path("/tmp/denizen-escaped").exists()
    assert not (shop.directory / "denizen-escaped").exists()


def test_a_bomb_is_refused_and_what_it_wrote_removed(shop: BuildStore) -> None:
    header = bytearray(debs.tar([Item("./huge")])[:512])
    header[124:136] = b"%011o\0" % (8 * 1024**3 - 1)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    control = debs.tar([Item("./control", content=debs.CONTROL)])
    content = debs.ar(
        ("debian-binary", b"2.0\n"),
        ("control.tar", control),
        ("data.tar.bz2", bz2.compress(bytes(header)) + bomb()),
    )
    assert len(content) < 25_000
    one = shop.derive("bomb", unpacking(made_by(shop.fetched("bomb.deb", content)), shop.store_dir))
    with pytest.raises(NotUnpacked, match="out of proportion"):
        shop.realise(one)


def test_what_has_the_wrong_hash_is_never_unpacked(shop: BuildStore) -> None:
    source = shop.fetched("x.deb", debs.deb([Item("./x")]))
    shop.opener.contents["https://example.test/x.deb"] = [debs.deb([Item("./evil")])]
    one = shop.derive("x", unpacking(made_by(source), shop.store_dir))
    with pytest.raises(NotFetched):
        shop.realise(one)
    assert not shop.store.is_valid(source.outputs[b"out"])


def test_a_union_leads_to_its_packages_and_refers_to_them(shop: BuildStore) -> None:
    a = package(shop, "a", Item("./bin/a", content=b"A"), Item("./share/x", content=b"1"))
    b = package(shop, "b", Item("./bin/b", content=b"B"), Item("./share/x", content=b"2"))
    one = shop.derive("ab", uniting([UnionPart(a, 5), UnionPart(b, 6)], shop.store_dir))
    shop.realise(one)
    top = shop.place(one)
    assert [(top / name).read_bytes() for name in ("bin/a", "bin/b", "share/x")] == [b"A", b"B", b"1"]
    assert set(shop.store.info(one.outputs[b"out"]).references) == {a.path, b.path}
    for path in top.rglob("*"):
        assert not path.is_symlink() or not os.readlink(path).startswith("/")


def test_a_union_in_conflict_leaves_nothing(shop: BuildStore) -> None:
    a = package(shop, "a", Item("./bin/x", content=b"A"))
    b = package(shop, "b", Item("./bin/x", content=b"B"))
    one = shop.derive("ab", uniting([UnionPart(a, 5), UnionPart(b, 5)], shop.store_dir))
    with pytest.raises(Conflict, match="bin/x"):
        shop.realise(one)


def test_libraries_are_linked_and_the_store_can_be_moved(shop: BuildStore) -> None:
    c = package(
        shop,
        "libx",
        Item("./usr/lib/libx.so.1.2", content=b"ELF"),
        symlink("./usr/lib/libx.so.1", "libx.so.1.2"),
    )
    one = shop.derive("libs", linking([(b"libx.so.1", c, b"usr/lib/libx.so.1")], shop.store_dir))
    shop.realise(one)
    link = shop.place(one) / "libx.so.1"
    assert os.readlink(link) == f"../{c.path}/usr/lib/libx.so.1.2"
    assert shop.store.info(one.outputs[b"out"]).references == (c.path,)
    moved = shop.directory / "moved"
    os.rename(shop.directory / "store", moved)
    assert (moved / shop.place(one).name / "libx.so.1").read_bytes() == b"ELF"
    os.rename(moved, shop.directory / "store")


def test_a_library_that_is_not_there_is_missed(shop: BuildStore) -> None:
    c = package(shop, "libx", Item("./usr/lib/libx.so.1"))
    one = shop.derive("libs", linking([(b"libx.so.2", c, b"usr/lib/libx.so.2")], shop.store_dir))
    with pytest.raises(MissingLibraries, match=r"libx\.so\.2"):
        shop.realise(one)


def test_nothing_but_inputs_can_be_used(shop: BuildStore) -> None:
    other = package(shop, "other", Item("./secret"))
    undeclared = unpacking(Ingredient(other.path), shop.store_dir)
    one = shop.derive("x", replace(undeclared, sources=()))
    with pytest.raises(BadDerivation, match="not among its inputs"):
        shop.realise(one)


def test_a_builder_denizen_does_not_have_is_named(shop: BuildStore) -> None:
    one = shop.derive("x", recipe(b"/bin/sh", {}, (), shop.store_dir))
    with pytest.raises(NoSuchBuilder, match="/bin/sh"):
        shop.realise(one)
