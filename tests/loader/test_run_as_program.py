"""The loader run as a program, through a link, and in the place of the host's own linker."""

import os
import shutil
from pathlib import Path

import pytest

from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import LoaderSysroot, output_of, run, somebody
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
    sysroot: LoaderSysroot, flags: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    program = sysroot.ready("echo", _ECHO, *flags, *_NATIVE)
    done = run(sysroot.loader, str(program), *arguments, env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(program), *arguments, "1 0"]
    assert done.returncode == len(arguments) + 1


def test_origin_means_the_programs_directory(sysroot: LoaderSysroot) -> None:
    sysroot.compile("own/libown.so", 'const char *own() { return "own"; }', "-shared", "-fPIC")
    program = sysroot.ready("bin/open", """
        #include <dlfcn.h>
        #include <stdio.h>
        int main() {
            void *library = dlopen("libown.so", RTLD_NOW);
            puts(library ? ((const char *(*)(void))dlsym(library, "own"))() : dlerror());
        }
        """, "-Wl,-rpath,$ORIGIN/nowhere:${ORIGIN}/../own", *_NATIVE)  # fmt: skip
    link = sysroot.root / "linked"
    link.symlink_to(program)
    sysroot.decide(program, sysroot.system("libc.so.6"))
    assert output_of(sysroot.loader, str(program)) == "own\n"
    assert output_of(sysroot.loader, str(link)) == "own\n"


@pytest.mark.parametrize("token", ["$ORIGIN", "${ORIGIN}"])
def test_origin_in_the_name_of_a_library_means_the_programs_directory(
    sysroot: LoaderSysroot, token: str
) -> None:
    """Where the loader starts the program, ld.so takes the directory of /proc/self/exe, the loader's."""
    name = f"-Wl,-soname,{token}/../own/libowned.so"
    library = sysroot.compile(
        "own/libowned.so", 'const char *own() { return "own"; }', "-shared", "-fPIC", name
    )
    program = sysroot.ready("bin/names", """
        #include <stdio.h>
        const char *own(void);
        int main() { puts(own()); }
        """, "-Wl,--no-as-needed", str(library), *_NATIVE)  # fmt: skip
    sysroot.decide(program, sysroot.system("libc.so.6"))
    assert output_of(sysroot.loader, str(program)) == "own\n"


def test_a_link_named_after_a_program_starts_it(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO, *_NATIVE)
    (sysroot.decisions / "links").mkdir()
    (sysroot.decisions / "links" / "tool").symlink_to(program)
    link = sysroot.root / "tool"
    link.symlink_to(sysroot.loader)
    done = run(link, "x", env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(link), "x", "1 0"]


def test_as_the_interpreter_of_a_script_it_starts_the_scripts_program(short_path: Path, loader: Path) -> None:
    sysroot = LoaderSysroot(short_path, loader)
    program = sysroot.ready("echo", _ECHO, *_NATIVE)
    script = sysroot.root / "script"
    script.write_text(f"#!{sysroot.loader} {program}\n")
    script.chmod(0o755)
    done = run(script, "x", env={"A": "1"})
    assert done.stdout.splitlines() == [str(program), str(program), str(script), "x", "1 0"]


def test_a_link_nobody_named_says_so(sysroot: LoaderSysroot) -> None:
    link = sysroot.root / "tool"
    link.symlink_to(sysroot.loader)
    done = run(link)
    assert done.returncode == 127
    assert "links/tool" in done.stderr


def test_without_a_program_it_tells_its_usage(sysroot: LoaderSysroot) -> None:
    done = run(sysroot.loader)
    assert done.returncode == 127
    assert "usage: denizen-loader PROGRAM" in done.stderr


@pytest.mark.parametrize(("name", "why"), [("nowhere", "no such program"), ("say", "no decision yet")])
def test_what_cannot_be_started_is_named(sysroot: LoaderSysroot, name: str, why: str) -> None:
    sysroot.compile("say", "int main() { return 0; }", *_NATIVE)
    done = run(sysroot.loader, str(sysroot.root / name))
    assert done.returncode == 127
    assert why in done.stderr
    assert str(sysroot.root / name) in done.stderr


def test_a_program_the_host_satisfies_is_executed(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("self", """
        #include <stdio.h>
        #include <unistd.h>
        int main() { char path[4096]; path[readlink("/proc/self/exe", path, 4095)] = 0; puts(path); }
        """, interpreter=False)  # fmt: skip
    sysroot.decide(program, [], host=True)
    assert output_of(sysroot.loader, str(program)) == f"{program}\n"


def test_a_script_is_executed(sysroot: LoaderSysroot) -> None:
    script = sysroot.root / "script"
    script.write_text("#!/bin/sh\necho $1\n")
    script.chmod(0o755)
    assert output_of(sysroot.loader, str(script), "x") == "x\n"


def test_a_decided_command_gets_program_and_arguments(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO, *_NATIVE)
    command = (b"/usr/bin/printf", b"%s\\n")
    sysroot.decide(program, sysroot.system("libc.so.6"), command=command)
    assert output_of(sysroot.loader, str(program), "x", "y z").splitlines() == [str(program), "x", "y z"]


def test_as_the_hosts_linker_it_becomes_the_hosts_linker(sysroot: LoaderSysroot) -> None:
    sysroot.configure(LoaderSettings(host_ldso=os.fsencode(sysroot.ldso)))
    covering = Path(shutil.copy(sysroot.loader, sysroot.root / "ld-linux-x86-64.so.2"))
    assert output_of(covering, "--version").startswith("ld.so")


def test_as_packages_linker_it_takes_the_options_that_start_a_program(sysroot: LoaderSysroot) -> None:
    """The program and its children see no variable, and find what the list leads to."""
    sysroot.compile("own/libown.so", 'const char *own() { return "own"; }', "-shared", "-fPIC")
    program = sysroot.ready("bin/open", """
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        int main(int count, char **words) {
            void *library = dlopen("libown.so", RTLD_NOW);
            puts(library ? ((const char *(*)(void))dlsym(library, "own"))() : "none");
            printf("%d %s %s %s\\n", count, words[0], words[count - 1], getenv("LD_LIBRARY_PATH"));
        }
        """, *_NATIVE)  # fmt: skip
    sysroot.configure(
        LoaderSettings(directories=(bytes(sysroot.decisions),), package_ldso=os.fsencode(sysroot.ldso))
    )
    covering = Path(shutil.copy(sysroot.loader, sysroot.root / "ld-linux-x86-64.so.2"))
    own = str(sysroot.root / "own")
    options = ("--inhibit-cache", "--argv0", "called", "--library-path", own)
    assert output_of(covering, *options, str(program), "x", env={}) == "own\n2 called x (null)\n"
    assert output_of(covering, str(program), env={}) == f"none\n1 {program} {program} (null)\n"
    assert output_of(covering, "--library-path", own, "--version").startswith("ld.so")


def test_nix_ld_serves_here_too(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO, *_NATIVE)
    sysroot.system("libc.so.6")
    sysroot.configure(LoaderSettings(nix_ld=True))
    env = {"NIX_LD": str(sysroot.ldso), "NIX_LD_LIBRARY_PATH": str(sysroot.lib), "A": "1"}
    assert run(sysroot.loader, str(program), env=env, user=somebody(sysroot)).returncode == 1


@pytest.mark.parametrize("padding", [0, 50 << 20])
@pytest.mark.parametrize("flags", [(), ("-no-pie",)])
def test_program_headers_may_be_anywhere(
    sysroot: LoaderSysroot, flags: tuple[str, ...], padding: int
) -> None:
    """patchelf puts them at the end; a program that carries its data has them 49 MB behind that."""
    program = sysroot.compile("echo", _ECHO, *flags, interpreter=False)
    program.write_bytes(at_the_end(program.read_bytes(), padding))
    assert run(program, env={"A": "1"}).returncode == 1, "the kernel takes it"
    sysroot.decide(program, sysroot.system("libc.so.6"))
    assert run(sysroot.loader, str(program), env={"A": "1"}).stdout.splitlines()[0] == str(program)


def test_headers_that_are_not_loaded_are_told(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO, *_NATIVE)
    content = program.read_bytes()
    table = content[64 : 64 + 56 * content[56]]
    at = -(-len(content) // 8) * 8
    program.write_bytes(content[:32] + at.to_bytes(8, "little") + content[40:].ljust(at - 40, b"\0") + table)
    sysroot.decide(program, sysroot.system("libc.so.6"))
    assert "its program headers are not loaded with it" in run(sysroot.loader, str(program)).stderr


def test_of_two_interpreters_the_first_counts(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO, interpreter=False)
    program.write_bytes(with_second_interpreter(program.read_bytes()))
    assert run(program, env={"A": "1"}).returncode == 1, "the kernel takes it"
    sysroot.decide(program, sysroot.system("libc.so.6"))
    assert run(sysroot.loader, str(program), env={"A": "1"}).returncode == 1
