"""The loader's warm start beside a native one: 1 library, 40 in one directory, 40 in 40 RUNPATH directories.

nix-ld's published method: start a program that does nothing, thousands of times, and compare medians.
A small C program does it (vfork, execve, wait), each contender in turn, so that a busy moment falls on all.
nix-ld itself is in no registry this can install from; its published figures are printed beside ours.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.support import TIMER_C, table
from denizen.elf.image import read
from denizen.launch.loader.loader_settings import LoaderSettings
from denizen.launch.strategies.entry_stub import apply_plan, plan_stub
from tests.support.compiled_loaders import HOST_LDSO, LoaderSysroot, compile_loader

ROUNDS = int(os.environ.get("ROUNDS", "2000"))
LIBRARIES = 40
# Every library of a real program brings symbols and relocations; 20 functions and a table of them.
FUNCTIONS = 20

_TIMER = """
int main(int argc, char **argv) {
    int rounds = atoi(argv[1]), count = argc - 2;
    double *times = malloc(sizeof *times * rounds * count);
    char *none[] = {0};
    for (int round = -20; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            double before = now();
            pid_t child = vfork();
            if (!child) { char *args[] = {argv[i + 2], 0}; execve(args[0], args, none); _exit(99); }
            int status;
            waitpid(child, &status, 0);
            if (status) return 1;
            if (round >= 0) times[i * rounds + round] = now() - before;
        }
    for (int i = 0; i < count; i++) {
        qsort(times + i * rounds, rounds, sizeof *times, order);
        printf("%f\\n", times[i * rounds + rounds / 2]);
    }
}
"""


def main() -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        sysroot = LoaderSysroot(Path(directory), compile_loader(Path(directory) / "compiled-loader"))
        inside = compile_loader(Path(directory) / "denizen-inside")
        exec_library = compile_loader(Path(directory) / "denizen-exec")
        sysroot.configure(
            LoaderSettings(
                directories=(bytes(sysroot.decisions),),
                inside=bytes(inside),
                exec_library=bytes(exec_library),
                starter=bytes(sysroot.loader),
            )
        )
        contenders = {
            "static": sysroot.compile("static", "int main() { return 0; }", "-static", interpreter=False),
            **one_library(sysroot),
            **many_libraries(sysroot),
        }
        timer = sysroot.compile("timer", TIMER_C + _TIMER, "-O2", interpreter=False)
        done = subprocess.run(
            [timer, str(ROUNDS), *contenders.values()], check=True, capture_output=True, text=True
        )
        times = dict(zip(contenders, map(float, done.stdout.split()), strict=True))
        report(times)


def one_library(sysroot: LoaderSysroot) -> dict[str, Path]:
    """A program that needs libc alone, started natively and by the loader."""
    source = "int main() { return 0; }"
    flags = (f"-Wl,--dynamic-linker={sysroot.ldso}", f"-Wl,-rpath,{sysroot.lib}")
    native = sysroot.compile("native1", source, *flags, interpreter=False)
    ours = sysroot.compile("ours1", source)
    sysroot.decide(ours, sysroot.system("libc.so.6"), objects=(bytes(sysroot.lib),))
    starts = sysroot.compile("starts1", source)
    sysroot.decide(starts, sysroot.system("libc.so.6"), objects=(bytes(sysroot.lib),), executes=True)
    return {
        "1 library, native": native,
        "1 library, loader": ours,
        "1 library, loader, a program that starts others": starts,
        "1 library, entry stub, answered from inside": patched(sysroot, native),
    }


def patched(sysroot: LoaderSysroot, program: Path) -> Path:
    """A copy of the program that starts the loader by an entry stub."""
    content = program.read_bytes()
    plan = plan_stub(read(content), bytes(sysroot.loader))
    copy = program.with_name("patched1")
    copy.write_bytes(apply_plan(content, plan))
    copy.chmod(0o755)
    sysroot.decide(copy, sysroot.system("libc.so.6"), objects=(bytes(sysroot.lib),), edits=plan.restores)
    return copy


def many_libraries(sysroot: LoaderSysroot) -> dict[str, Path]:
    """A program that needs 40 libraries: natively from one directory and from 40, and by the loader."""
    libraries = [library(sysroot, number) for number in range(LIBRARIES)]
    apart = [sysroot.root / f"dir{number}" for number in range(LIBRARIES)]
    for place, made in zip(apart, libraries, strict=True):
        place.mkdir()
        shutil.copy(made, place)
    calls = "".join(f"int f{n}_0(void);" for n in range(LIBRARIES))
    source = f"{calls} int main() {{ return 0 * ({'+'.join(f'f{n}_0()' for n in range(LIBRARIES))}); }}"
    linker = f"-Wl,--dynamic-linker={sysroot.ldso}"
    linked = [str(made) for made in libraries]
    flat = sysroot.compile("flat40", source, *linked, linker, f"-Wl,-rpath,{sysroot.lib}", interpreter=False)
    path = ":".join(map(str, [*apart, sysroot.lib]))
    spread = sysroot.compile("spread40", source, *linked, linker, f"-Wl,-rpath,{path}", interpreter=False)
    ours = sysroot.compile("ours40", source, *linked)
    sysroot.decide(ours, [*libraries, *sysroot.system("libc.so.6")], objects=tuple(map(bytes, apart)))
    return {
        f"{LIBRARIES} libraries, native, one directory": flat,
        f"{LIBRARIES} libraries, native, {LIBRARIES} RUNPATH directories": spread,
        f"{LIBRARIES} libraries, loader": ours,
    }


def library(sysroot: LoaderSysroot, number: int) -> Path:
    """A library of a few functions and a relocated table of them."""
    functions = "".join(f"int f{number}_{i}(void) {{ return {i}; }}" for i in range(FUNCTIONS))
    names = ",".join(f"f{number}_{i}" for i in range(FUNCTIONS))
    return sysroot.library(f"libbench{number}.so", f"{functions} int (*t{number}[])(void) = {{{names}}};")


def report(times: dict[str, float]) -> None:
    """The table, then each claim with its figure."""
    print(table([("start to exit, median", "us"), *((name, f"{us:.0f}") for name, us in times.items())]))
    extra = times["1 library, loader"] - times["1 library, native"]
    many = f"{LIBRARIES} libraries"
    ours = times[f"{many}, loader"]
    flat, spread = (
        times[f"{many}, native, one directory"],
        times[f"{many}, native, {LIBRARIES} RUNPATH directories"],
    )
    print(f"1 library: native + {extra:.0f} us (claim: at most 40; nix-ld publishes 35)")
    print(f"{many}: {spread / ours:.2f} times as fast as {LIBRARIES} RUNPATH directories (claim: 1.7)")
    print(f"{many}: {ours / flat:.2f} times native from one directory")


if __name__ == "__main__":
    print(f"dynamic linker: {HOST_LDSO.resolve()}; {ROUNDS} rounds")
    main()
