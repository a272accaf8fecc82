import pytest

from denizen.build import builtin_libraries
from denizen.build.builtin_derivations import Ingredient
from denizen.build.builtin_libraries import LinkedLibrary, MissingLibraries, linking, plan
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import BadDerivation
from denizen.errors import BadInput
from denizen.fileview import MemoryView, ViewLink
from denizen.formats.file_tree import Directory, Symlink
from denizen.formats.storepath import NIX_STORE, StorePath
from tests.support.generated_trees import nar

C6 = StorePath("0" * 32, "libc6")
SSL = StorePath("1" * 32, "libssl3")
VIEWS = {
    C6: MemoryView({b"/lib/x86_64-linux-gnu/libc.so.6": b"\x7fELF"}),
    SSL: MemoryView(
        {
            b"/usr/lib/libssl.so.3.0.1": b"\x7fELF",
            b"/usr/lib/libssl.so.3": ViewLink(b"libssl.so.3.0.1"),
            b"/usr/lib/absolute.so": ViewLink(b"/usr/lib/libssl.so.3"),
            b"/usr/lib/dangling.so": ViewLink(b"/etc/alternatives/x"),
            b"/usr/lib/loop.so": ViewLink(b"loop.so"),
        }
    ),
}


def planned(*some: tuple[bytes, StorePath, bytes]) -> list[object]:
    derivation = linking([(soname, Ingredient(path), inside) for soname, path, inside in some], NIX_STORE)
    wanted = builtin_libraries.read(Variables("x", derivation.environment, NIX_STORE))
    entries = list(plan(wanted, VIEWS.__getitem__))
    nar(*entries)
    return list(entries)


def test_each_library_is_one_relative_link_to_the_file_itself() -> None:
    assert planned(
        (b"libssl.so.3", SSL, b"usr/lib/libssl.so.3"),
        (b"libc.so.6", C6, b"lib/x86_64-linux-gnu/libc.so.6"),
    ) == [
        Directory(b""),
        Symlink(b"libc.so.6", b"../" + b"0" * 32 + b"-libc6/lib/x86_64-linux-gnu/libc.so.6"),
        Symlink(b"libssl.so.3", b"../" + b"1" * 32 + b"-libssl3/usr/lib/libssl.so.3.0.1"),
    ]


def test_an_absolute_link_inside_a_package_means_the_packages_own_root() -> None:
    (_, link) = planned((b"a.so", SSL, b"usr/lib/absolute.so"))
    assert link == Symlink(b"a.so", b"../" + b"1" * 32 + b"-libssl3/usr/lib/libssl.so.3.0.1")


def test_all_that_is_missing_is_reported_together() -> None:
    with pytest.raises(MissingLibraries) as caught:
        planned(
            (b"a.so", SSL, b"usr/lib/missing.so"),
            (b"b.so", SSL, b"usr/lib/dangling.so"),
            (b"c.so", SSL, b"usr/lib/loop.so"),
            (b"d.so", SSL, b"usr/lib"),
            (b"e.so", SSL, b""),
            (b"f.so", SSL, b"../../etc/passwd"),
            (b"libc.so.6", C6, b"lib/x86_64-linux-gnu/libc.so.6"),
        )
    assert [name for name, _ in caught.value.missing] == [
        b"a.so",
        b"b.so",
        b"c.so",
        b"d.so",
        b"e.so",
        b"f.so",
    ]
    assert "usr/lib/missing.so" in caught.value.why


@pytest.mark.parametrize(
    "text",
    [
        b"a/b\t/nix/store/" + b"0" * 32 + b"-x/l\n",
        b"..\t/nix/store/" + b"0" * 32 + b"-x/l\n",
        b"a\t/nix/store/" + b"0" * 32 + b"-x/l\na\t/nix/store/" + b"0" * 32 + b"-x/m\n",
        b"a\t/etc/passwd\n",
        b"a\n",
    ],
)
def test_what_is_no_name_or_no_library_of_the_store_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput):
        builtin_libraries.read(Variables("x", {b"libraries": text}, NIX_STORE))


def test_a_plan_is_read_back() -> None:
    text = b"a.so\t/nix/store/" + b"0" * 32 + b"-libc6/lib/a.so\n"
    assert builtin_libraries.read(Variables("x", {b"libraries": text}, NIX_STORE)) == [
        LinkedLibrary(b"a.so", C6, b"lib/a.so")
    ]
    with pytest.raises(BadDerivation, match="wants the variable"):
        builtin_libraries.read(Variables("x", {}, NIX_STORE))
