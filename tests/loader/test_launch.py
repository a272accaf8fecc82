"""The loader run as a program, through a link, and in the place of the host's own linker."""

import os
import shutil
from pathlib import Path

import pytest

from denizen.launch.loader.settings import LoaderSettings
from tests.support.compiled_loaders import World, output_of, run, somebody
from tests.support.elf_rewriting import at_the_end, with_second_interpreter

_ECHO = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
int main(int argc, char **argv) {
    printf("%s\\n", (char *)getauxval(AT_EXECFN));
    for (int i = 0; i < argc; i++) printf("%s\\n", argv[i]);
    printf("%s %d\\n", getenv("A"), (int)((unsigned long)__builtin_frame_address(0) % 16));
    free(malloc(1 << 20));
    return argc;
}
"""
_NATIVE = ("-Wl,--dynamic-linker=/nowhere/ld.so",)


@pytest.mark.parametrize("flags", [(), ("-no-pie",), ("-Wl,-z,max-page-size=0x200000",)])
@pytest.mark.parametrize("arguments", [(), ("x",), ("x", "y z")])
def test_it_starts_a_program_with_its_arguments(
    world: World, flags: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    program = world.ready("echo", _ECHO, *flags, *_NATIVE)
    done = run(world.loader, str(program), *arguments, env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(program), *arguments, "1 0"]
    assert done.returncode == len(arguments) + 1


def test_origin_means_the_programs_directory(world: World) -> None:
    world.compile("own/libown.so", 'const char *own() { return "own"; }', "-shared", "-fPIC")
    program = world.ready("bin/open", """
        #include <dlfcn.h>
        #include <stdio.h>
        int main() {
            void *library = dlopen("libown.so", RTLD_NOW);
            puts(library ? ((const char *(*)(void))dlsym(library, "own"))() : dlerror());
        }
        """, "-Wl,-rpath,$ORIGIN/nowhere:${ORIGIN}/../own", *_NATIVE)  # fmt: skip
    link = world.root / "linked"
    link.symlink_to(program)
    world.decide(program, world.system("libc.so.6"))
    assert output_of(world.loader, str(program)) == "own\n"
    assert output_of(world.loader, str(link)) == "own\n"


def test_a_link_named_after_a_program_starts_it(world: World) -> None:
    program = world.ready("echo", _ECHO, *_NATIVE)
    (world.decisions / "links").mkdir()
    (world.decisions / "links" / "tool").symlink_to(program)
    link = world.root / "tool"
    link.symlink_to(world.loader)
    done = run(link, "x", env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(link), "x", "1 0"]


def test_as_the_interpreter_of_a_script_it_starts_the_scripts_program(world: World) -> None:
    program = world.ready("echo", _ECHO, *_NATIVE)
    script = world.root / "script"
    script.write_text(f"#!{world.loader} {program}\n")
    script.chmod(0o755)
    done = run(script, "x", env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(program), str(script), "x", "1 0"]


def test_a_link_nobody_named_says_so(world: World) -> None:
    link = world.root / "tool"
    link.symlink_to(world.loader)
    done = run(link)
    assert done.returncode == 127
    assert "links/tool" in done.stderr


def test_without_a_program_it_tells_its_usage(world: World) -> None:
    done = run(world.loader)
    assert done.returncode == 127
    assert "usage: denizen-loader PROGRAM" in done.stderr


@pytest.mark.parametrize(("name", "why"), [("nowhere", "no such program"), ("say", "no decision yet")])
def test_what_cannot_be_started_is_named(world: World, name: str, why: str) -> None:
    world.compile("say", "int main() { return 0; }", *_NATIVE)
    done = run(world.loader, str(world.root / name))
    assert done.returncode == 127
    assert why in done.stderr
    assert str(world.root / name) in done.stderr


def test_a_program_the_host_satisfies_is_executed(world: World) -> None:
    program = world.compile("self", """
        #include <stdio.h>
        #include <unistd.h>
        int main() { char path[4096]; path[readlink("/proc/self/exe", path, 4095)] = 0; puts(path); }
        """, interpreter=False)  # fmt: skip
    world.decide(program, [], host=True)
    assert output_of(world.loader, str(program)) == f"{program}\n"


def test_a_script_is_executed(world: World) -> None:
    script = world.root / "script"
    script.write_text("#!/bin/sh\necho $1\n")
    script.chmod(0o755)
    assert output_of(world.loader, str(script), "x") == "x\n"


def test_a_decided_command_gets_program_and_arguments(world: World) -> None:
    program = world.compile("echo", _ECHO, *_NATIVE)
    command = (b"/usr/bin/printf", b"%s\\n")
    world.decide(program, world.system("libc.so.6"), command=command)
    assert output_of(world.loader, str(program), "x", "y z").splitlines() == [str(program), "x", "y z"]


def test_as_the_hosts_linker_it_becomes_the_hosts_linker(world: World) -> None:
    world.configure(LoaderSettings(host_ldso=os.fsencode(world.ldso)))
    covering = Path(shutil.copy(world.loader, world.root / "ld-linux-x86-64.so.2"))
    assert output_of(covering, "--version").startswith("ld.so")


def test_nix_ld_serves_here_too(world: World) -> None:
    program = world.compile("echo", _ECHO, *_NATIVE)
    world.system("libc.so.6")
    world.configure(LoaderSettings(nix_ld=True))
    env = {"NIX_LD": str(world.ldso), "NIX_LD_LIBRARY_PATH": str(world.lib), "A": "1"}
    assert run(world.loader, str(program), env=env, user=somebody(world)).returncode == 1


@pytest.mark.parametrize("padding", [0, 50 << 20])
@pytest.mark.parametrize("flags", [(), ("-no-pie",)])
def test_program_headers_may_be_anywhere(world: World, flags: tuple[str, ...], padding: int) -> None:
    """patchelf puts them at the end; a program that carries its data has them 49 MB behind that."""
    program = world.compile("echo", _ECHO, *flags, interpreter=False)
    program.write_bytes(at_the_end(program.read_bytes(), padding))
    assert run(program, env={"A": "1"}).returncode == 1, "the kernel takes it"
    world.decide(program, world.system("libc.so.6"))
    assert run(world.loader, str(program), env={"A": "1"}).stdout.splitlines()[0] == str(program)


def test_headers_that_are_not_loaded_are_told(world: World) -> None:
    program = world.ready("echo", _ECHO, *_NATIVE)
    content = program.read_bytes()
    table = content[64 : 64 + 56 * content[56]]
    at = -(-len(content) // 8) * 8
    program.write_bytes(content[:32] + at.to_bytes(8, "little") + content[40:].ljust(at - 40, b"\0") + table)
    world.decide(program, world.system("libc.so.6"))
    assert "its program headers are not loaded with it" in run(world.loader, str(program)).stderr


def test_of_two_interpreters_the_first_counts(world: World) -> None:
    program = world.compile("echo", _ECHO, interpreter=False)
    program.write_bytes(with_second_interpreter(program.read_bytes()))
    assert run(program, env={"A": "1"}).returncode == 1, "the kernel takes it"
    world.decide(program, world.system("libc.so.6"))
    assert run(world.loader, str(program), env={"A": "1"}).returncode == 1
