"""Hard cases with the real archive: programs made here, indexes and packages fetched once and kept.

Kept below XDG_CACHE_HOME/denizen-tests (or ~/.cache): 120 MB of indexes, 60 MB of packages.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.cli.command import Context
from denizen.resolve.lock import write
from denizen.resolve.resolution import ChoiceRule, ProblemKind
from denizen.resolve.resolution_summary import download_size
from tests.support.elf_builder import Elf, Symbol, build, replace
from tests.support.memory_archive import chosen, open_for, package_of
from tests.support.peers import require
from tests.support.real_archive import files_of, real_archive, resolve_program

pytestmark = [pytest.mark.network, pytest.mark.slow]
X86_64 = Elf(interpreter=b"/lib64/ld-linux-x86-64.so.2")
I386 = Elf(bits=32, machine=3, interpreter=b"/lib/ld-linux.so.2")
ARM64 = Elf(machine=183, interpreter=b"/lib/ld-linux-aarch64.so.1")
MUSL = Elf(interpreter=b"/lib/ld-musl-x86_64.so.1")


@pytest.fixture(scope="session")
def context() -> Context:
    return real_archive()


def made(
    path: Path,
    *needed: bytes,
    asks: Sequence[tuple[bytes, bytes | None, bytes | None]] = (),
    like: Elf = X86_64,
) -> Path:
    """A program that needs these libraries and asks (symbol, version, soname)."""
    symbols = tuple(Symbol(name, defined=False, version=version, file=file) for name, version, file in asks)
    elf = replace(like, needed=needed, symbols=symbols, relocated=tuple(name for name, _, _ in asks))
    content = build(elf)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_program_of_a_newer_glibc_than_the_preferred_suite_gets_a_newer_base(
    context: Context, tmp_path: Path
) -> None:
    program = made(tmp_path / "p", b"libc.so.6", asks=[(b"__isoc23_strtol", b"GLIBC_2.38", b"libc.so.6")])
    resolution = resolve_program(context, program)
    assert (resolution.base, resolution.floor, resolution.is_complete) == ("trixie", (2, 38), True)
    older = resolve_program(context, program, ["bookworm"])
    assert open_for(older, b"GLIBC_2.38").kind is ProblemKind.VERSION


def test_two_openssl_live_in_one_process(context: Context, tmp_path: Path) -> None:
    program = made(tmp_path / "p", b"libssl.so.1.1", b"libssl.so.3", b"libc.so.6")
    resolution = resolve_program(context, program)
    assert resolution.is_complete
    assert package_of(resolution, b"libssl.so.1.1") == (b"libssl1.1", "bullseye")
    assert package_of(resolution, b"libcrypto.so.1.1") == (b"libssl1.1", "bullseye")
    assert package_of(resolution, b"libssl.so.3")[1] == "trixie"
    assert chosen(resolution, b"libcrypto.so.1.1").rule is ChoiceRule.SAME_PACKAGE


def test_an_older_library_whose_dependencies_are_gone_brings_its_own(
    context: Context, tmp_path: Path
) -> None:
    # bullseye's libicui18n67 needs libicuuc67 and libicudata67, which no newer suite has.
    resolution = resolve_program(context, made(tmp_path / "p", b"libicui18n.so.67", b"libc.so.6"))
    assert resolution.is_complete
    assert package_of(resolution, b"libicudata.so.67") == (b"libicu67", "bullseye")
    assert package_of(resolution, b"libstdc++.so.6") == (b"libstdc++6", "trixie")


@pytest.mark.parametrize(("like", "architecture"), [(I386, "i386"), (ARM64, "arm64")])
def test_other_machines_get_their_own_packages(
    context: Context, tmp_path: Path, like: Elf, architecture: str
) -> None:
    program = made(tmp_path / "p", b"libz.so.1", b"libc.so.6", like=like)
    resolution = resolve_program(context, program, ["trixie"], architecture)
    assert resolution.is_complete
    assert {pin.architecture.decode() for pin in resolution.packages} == {architecture}
    assert resolution.interpreter is not None


def test_musl_programs_get_musl_and_no_glibc_builds(context: Context, tmp_path: Path) -> None:
    resolution = resolve_program(
        context, made(tmp_path / "p", b"libc.musl-x86_64.so.1", like=MUSL), ["trixie"]
    )
    assert resolution.is_complete
    assert [pin.name for pin in resolution.packages] == [b"musl"]
    refused = resolve_program(context, made(tmp_path / "q", b"libstdc++.so.6", like=MUSL), ["trixie"])
    assert "musl" in open_for(refused, b"libstdc++.so.6").detail


def test_a_soname_nobody_has_is_told_with_near_names(context: Context, tmp_path: Path) -> None:
    resolution = resolve_program(context, made(tmp_path / "p", b"libpython3.10.so.1.0", b"libc.so.6"))
    problem = open_for(resolution, b"libpython3.10.so.1.0")
    assert problem.kind is ProblemKind.LIBRARY
    assert b"libpython3.11.so.1.0" in problem.near


def test_nss_is_taken_from_the_default_directory_with_what_it_opens(context: Context, tmp_path: Path) -> None:
    resolution = resolve_program(context, made(tmp_path / "p", b"libnss3.so", b"libc.so.6"), ["trixie"])
    assert resolution.is_complete
    assert package_of(resolution, b"libnss3.so") == (b"libnss3", "trixie")
    assert chosen(resolution, b"libsoftokn3.so").wish == "nss"


def test_the_first_of_ten_packages_with_a_jvm_that_has_what_is_asked_is_taken(
    context: Context, tmp_path: Path
) -> None:
    program = made(
        tmp_path / "p",
        b"libjvm.so",
        b"libc.so.6",
        asks=[(b"JNI_CreateJavaVM", b"SUNWprivate_1.1", b"libjvm.so")],
    )
    resolution = resolve_program(context, program)
    assert resolution.is_complete
    jvm = chosen(resolution, b"libjvm.so")
    assert package_of(resolution, b"libjvm.so") == (b"openjdk-21-jre-headless", "trixie")
    assert jvm.path.endswith(b"/lib/server/libjvm.so")
    assert len({(one.package, one.suite) for one in jvm.rejected}) >= 5


def test_a_player_s_plugin_is_not_taken_for_another_project_s_library(
    context: Context, tmp_path: Path
) -> None:
    program = made(tmp_path / "p", b"libffmpeg.so", b"libc.so.6", asks=[(b"av_malloc", None, None)])
    problem = open_for(resolve_program(context, program), b"libffmpeg.so")
    assert problem.kind is ProblemKind.LIBRARY
    assert "qmmp of trixie defines none of the symbols asked for" in problem.detail


def test_of_three_private_libraries_of_one_name_the_one_with_the_symbols_is_taken(
    context: Context, tmp_path: Path
) -> None:
    # htdig, wxformbuilder and xrdp each have a libcommon.so.
    for symbol, package in (
        (b"trans_create", b"xrdp"),
        (b"_ZN12wxWindowBase13SetExtraStyleEl", b"wxformbuilder"),
    ):
        program = made(tmp_path / "p", b"libcommon.so", b"libc.so.6", asks=[(symbol, None, None)])
        resolution = resolve_program(context, program, ["trixie"])
        assert package_of(resolution, b"libcommon.so") == (package, "trixie")


def test_a_libstdcxx_beside_the_program_gives_way_where_a_library_needs_a_newer_one(
    context: Context, tmp_path: Path
) -> None:
    older = resolve_program(context, made(tmp_path / "o", b"libstdc++.so.6", b"libc.so.6"), ["bullseye"])
    (pin,) = [pin for pin in older.packages if pin.name == b"libstdc++6"]
    content = files_of(context, pin)[chosen(older, b"libstdc++.so.6").path]
    program = made(tmp_path / "app" / "p", b"libstdc++.so.6", b"libicui18n.so.76", b"libc.so.6")
    (program.parent / "libstdc++.so.6").write_bytes(content)
    resolution = resolve_program(context, program, ["trixie"])
    assert resolution.is_complete
    assert resolution.override == (b"libstdc++.so.6",)
    assert chosen(resolution, b"libstdc++.so.6").rule is ChoiceRule.NEWER
    alone = made(tmp_path / "other" / "p", b"libstdc++.so.6", b"libc.so.6")
    (alone.parent / "libstdc++.so.6").write_bytes(content)
    assert chosen(resolve_program(context, alone, ["trixie"]), b"libstdc++.so.6").rule is ChoiceRule.BESIDE


def test_hello_world_is_small_and_the_same_lock_every_time(context: Context, tmp_path: Path) -> None:
    require("gcc")
    source = tmp_path / "hello.c"
    source.write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    program = tmp_path / "hello"
    subprocess.run(["gcc", "-o", str(program), str(source)], check=True)
    resolution = resolve_program(context, program, ["trixie"])
    assert resolution.is_complete
    assert download_size(resolution) < 5_000_000
    assert write(resolve_program(context, program, ["trixie"])) == write(resolution)


def test_hello_world_of_c_plus_plus_is_small(context: Context, tmp_path: Path) -> None:
    require("g++")
    source = tmp_path / "hello.cc"
    source.write_text('#include <iostream>\nint main() { std::cout << "hello\\n"; }\n')
    program = tmp_path / "hello"
    subprocess.run(["g++", "-o", str(program), str(source)], check=True)
    resolution = resolve_program(context, program, ["trixie"])
    assert resolution.is_complete
    assert download_size(resolution) < 8_000_000
