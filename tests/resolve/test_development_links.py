"""The library that a name without a version means: the one that its package for developers goes with."""

import pytest

from denizen.resolve.development_links import library_meant
from tests.support.memory_archive import DIRECTORY, PackageArchive


def put(*names: bytes) -> dict[bytes, bytes]:
    return {DIRECTORY + name: b"" for name in names}


@pytest.fixture
def market() -> PackageArchive:
    made = PackageArchive()
    exact = b"libgl1 (= 1), libother1 (>= 2)"
    made.add("new", b"libgl-dev", put(b"libGL.so"), depends=exact)
    made.add("new", b"libgl1", put(b"libGL.so.1", b"libGL.so.1.7.0"))
    made.add("new", b"libgl9", put(b"libGL.so.9"))
    return made


def test_it_is_of_the_package_that_the_link_goes_with(market: PackageArchive) -> None:
    assert library_meant(b"libGL.so", (), market) == b"libGL.so.1"


def test_what_the_process_has_is_taken_before_all_else(market: PackageArchive) -> None:
    assert library_meant(b"libGL.so", [b"libGL.so.9", b"libGLX.so.0"], market) == b"libGL.so.9"


def test_a_library_that_has_no_version_is_meant_itself(market: PackageArchive) -> None:
    market.add("new", b"libnss3", put(b"libnss3.so"))
    assert library_meant(b"libnss3.so", (), market) == b""
    assert library_meant(b"libGL.so.1", (), market) == b""
    assert library_meant(b"libnobody.so", (), market) == b""


def test_the_version_may_be_part_of_the_stem(market: PackageArchive) -> None:
    market.add("new", b"libsdl2-dev", put(b"libSDL2.so"), depends=b"libsdl2-2.0-0 (= 1)")
    market.add("new", b"libsdl2-2.0-0", put(b"libSDL2-2.0.so.0"))
    market.add("new", b"libsdl2-image-2.0-0", put(b"libSDL2_image-2.0.so.0"))
    assert library_meant(b"libSDL2.so", (), market) == b"libSDL2-2.0.so.0"


def test_a_package_for_developers_may_lead_to_another(market: PackageArchive) -> None:
    market.add("new", b"tcl-dev", put(b"libtcl.so"), depends=b"tcl8.6-dev (>= 8.6)")
    market.add("new", b"tcl8.6-dev", put(b"libtcl8.6.so"), depends=b"libtcl8.6 (= 1)")
    market.add("new", b"libtcl8.6", put(b"libtcl8.6.so.0"))
    assert library_meant(b"libtcl.so", (), market) == b"libtcl8.6.so.0"


def test_a_link_in_a_private_directory_leads_to_a_library_that_is_found(market: PackageArchive) -> None:
    market.add("new", b"llvm-19-dev", {b"usr/lib/llvm-19/lib/libLLVM.so": b""}, depends=b"libllvm19 (= 1)")
    market.add("new", b"libllvm19", put(b"libLLVM.so.19.1"))
    assert library_meant(b"libLLVM.so", (), market) == b"libLLVM.so.19.1"


def test_without_a_word_about_its_library_any_of_that_name_is_meant(market: PackageArchive) -> None:
    market.add("new", b"liba-dev", put(b"liba.so"))
    market.add("new", b"liba2", put(b"liba.so.2"))
    assert library_meant(b"liba.so", (), market) == b"liba.so.2"
