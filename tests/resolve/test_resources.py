"""Packages that come along for their files, and libraries that cost nothing or that plugins need."""

import pytest

from denizen.elf.constants import PT_LOAD
from denizen.resolve.resolution import Resolution
from tests.support.elf_builder import Elf, Symbol, build
from tests.support.memory_archive import (
    DIRECTORY,
    INTERPRETER,
    PROGRAM,
    PackageArchive,
    chosen,
    libc,
    library,
    program,
)


def package_archive(*packages: bytes) -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc() | {DIRECTORY + b"librt.so.1": library(b"librt.so.1", b"libc.so.6")})
    made.add("old", b"libc6", libc())
    for name in (b"libfontconfig.so.1", b"libstdc++.so.6"):
        made.add("new", name.partition(b".")[0], {DIRECTORY + name: library(name, b"libc.so.6")})
    for package in packages:
        made.add("old", package, {b"usr/share/doc/" + package: b"old"})
        made.add("new", package, {b"usr/share/doc/" + package: b"new"})
    return made


def brought(made: Resolution) -> list[tuple[bytes, str]]:
    used = {choice.package for choice in made.choices}
    return [(pin.name, pin.suite) for pin in made.packages if pin.sha256 not in used]


def test_fonts_come_with_fontconfig_from_the_base_suite() -> None:
    made = package_archive(b"fontconfig-config", b"fonts-dejavu-core").resolve(
        {PROGRAM: program(b"libfontconfig.so.1")}
    )
    assert made.is_complete
    assert brought(made) == [(b"fontconfig-config", "new"), (b"fonts-dejavu-core", "new")]


def test_a_program_with_fontconfig_inside_is_known_by_the_path_it_looks_at() -> None:
    constants = ((PT_LOAD, b"\0/etc/fonts\0"),)
    inside = build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), segments=constants))
    assert brought(package_archive(b"fonts-dejavu-core").resolve({PROGRAM: inside})) == [
        (b"fonts-dejavu-core", "new")
    ]


def test_locales_come_where_they_are_asked_for() -> None:
    offer = package_archive(b"libc-bin")
    asks = [(b"setlocale", b"GLIBC_2.2.5", b"libc.so.6")]
    assert brought(offer.resolve({PROGRAM: program(b"libm.so.6", asks=asks)})) == [(b"libc-bin", "new")]
    assert brought(offer.resolve({PROGRAM: program(b"libm.so.6")})) == []


def test_a_package_nobody_has_is_no_problem() -> None:
    assert package_archive().resolve({PROGRAM: program(b"libfontconfig.so.1")}).is_complete


def test_parts_of_the_c_library_come_along_without_being_asked_for() -> None:
    made = package_archive().resolve({PROGRAM: program()})
    assert chosen(made, b"librt.so.1").wish == "companion"
    assert len(made.packages) == 1


def test_a_language_runtime_that_a_library_beside_the_program_needs_comes_along() -> None:
    files = {PROGRAM: program(), b"/opt/app/lib/module.so": library(b"module.so", b"libstdc++.so.6")}
    assert chosen(package_archive().resolve(files), b"libstdc++.so.6").wish == "beside"


def test_time_zones_come_where_the_local_time_is_asked_for() -> None:
    asks = [(b"localtime_r", b"GLIBC_2.2.5", b"libc.so.6")]
    assert brought(package_archive(b"tzdata").resolve({PROGRAM: program(b"libm.so.6", asks=asks)})) == [
        (b"tzdata", "new")
    ]
    assert brought(package_archive(b"tzdata").resolve({PROGRAM: program(b"libm.so.6")})) == []


@pytest.mark.parametrize(
    ("soname", "package", "place"),
    [
        (b"libEGL.so.1", b"libegl-mesa0", b"/usr/share/glvnd/egl_vendor.d/10_nvidia.json"),
        (b"libEGL.so.1", b"libegl-mesa0", b"/etc/glvnd/egl_vendor.d/10_nvidia.json"),
        (b"libvulkan.so.1", b"mesa-vulkan-drivers", b"/usr/share/vulkan/icd.d/intel_icd.json"),
        (b"libvulkan.so.1", b"mesa-vulkan-drivers", b"/etc/vulkan/icd.d/intel_icd.json"),
        (b"libOpenCL.so.1", b"pocl-opencl-icd", b"/etc/OpenCL/vendors/nvidia.icd"),
    ],
)
def test_a_host_with_a_list_of_drivers_keeps_its_own(soname: bytes, package: bytes, place: bytes) -> None:
    archive = package_archive(package)
    archive.add("new", b"interface", {DIRECTORY + soname: library(soname, b"libc.so.6")})
    files = {PROGRAM: program(soname)}
    assert brought(archive.resolve(files)) == [(package, "new")]
    assert brought(archive.resolve({**files, place: b"{}"})) == []


def test_a_library_beside_the_program_is_known_by_the_path_it_looks_at_too() -> None:
    constants = ((PT_LOAD, b"\0/etc/ssl/certs/ca-certificates.crt\0"),)
    beside = build(Elf(needed=(b"libc.so.6",), segments=constants))
    files = {PROGRAM: program(b"libtls.so.1", runpath=b"$ORIGIN"), b"/opt/app/libtls.so.1": beside}
    assert brought(package_archive(b"ca-certificates").resolve(files)) == [(b"ca-certificates", "new")]


def test_a_program_of_musl_has_time_zones_by_its_own_c_library() -> None:
    archive = package_archive(b"tzdata", b"libc-bin")
    linker = b"ld-musl-x86_64.so.1"
    archive.add("new", b"musl", {DIRECTORY + linker: library(b"libc.so")})
    asks = [(b"localtime_r", None, None), (b"setlocale", None, None)]
    own = build(
        Elf(
            interpreter=b"/lib/" + linker,
            needed=(b"libc.musl-x86_64.so.1",),
            symbols=tuple(Symbol(name, defined=False) for name, _, _ in asks),
            relocated=tuple(name for name, _, _ in asks),
        )
    )
    # Locales are glibc's alone.
    assert brought(archive.resolve({PROGRAM: own})) == [(b"musl", "new"), (b"tzdata", "new")]
