"""What it costs that a program is answered for what it opens, beside a native start and nix-ld's method.

nix-ld's method is the host's ld.so with LD_LIBRARY_PATH (nix-ld's own start comes on top).
Contenders take turns from start to exit on one processor, and of each the tenth best of a hundred
counts: a busy machine adds to them at random, and the question is what is added always. A miss is
timed inside a program that misses a thousand names, or one a thousand times. The first answer is
helper, resolution and links; its package is in the store.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.support import TIMER_C, table
from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.dlopen_record import Opened
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import HOST_LDSO, LoaderSysroot, compile_loader
from tests.support.index_files import index_file
from tests.support.offline_roots import DenizenHome

ROUNDS = int(os.environ.get("ROUNDS", "500"))
LIBRARIES = 50
FUNCTIONS = 20
NAMES = 60_000
MISSES = 1000

_TIMER = """
/* Rounds, and for each contender an environment of one variable (or "") and its words, a line each. */
int main(int argc, char **argv) {
    int rounds = atoi(argv[1]), count = (argc - 2) / 2;
    double *times = malloc(sizeof *times * rounds * count);
    for (int round = -5; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            char *variable = argv[2 * i + 2], line[4096], *words[9] = {strcpy(line, argv[2 * i + 3])};
            for (int word = 1; (words[word] = strchr(words[word - 1], '\\n')); word++) *words[word]++ = 0;
            char *environment[] = {*variable ? variable : 0, 0};
            double before = now();
            pid_t child = vfork();
            if (!child) execve(words[0], words, environment), _exit(99);
            int status;
            waitpid(child, &status, 0);
            if (status) return fprintf(stderr, "%s fails\\n", words[0]), 1;
            if (round >= 0) times[i * rounds + round] = now() - before;
        }
    for (int i = 0; i < count; i++) {
        qsort(times + i * rounds, rounds, sizeof *times, order);
        printf("%f\\n", times[i * rounds + rounds / 10]);
    }
}
"""
_OPENS_NOTHING = (
    "#include <dlfcn.h>\nint main(int count, char **words) { return count > 9 && dlopen(words[1], 1); }\n"
)
_OPENS = f"""
#include <dlfcn.h>
#include <stdio.h>
int main(void) {{
    char name[99];
    for (int i = 0; i < {LIBRARIES}; i++) {{
        snprintf(name, 99, "libbench%d.so", i);
        if (!dlopen(name, RTLD_NOW)) return 1;
    }}
    return 0;
}}
"""
_MISSES = f"""
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
int main(int count, char **words) {{
    struct timespec before, after;
    char name[99];
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < {MISSES}; i++) {{
        snprintf(name, 99, count > 1 ? words[1] : "libnobody%d.so.1", i);
        if (dlopen(name, RTLD_NOW)) return 1;
    }}
    clock_gettime(CLOCK_MONOTONIC, &after);
    double taken = (after.tv_sec - before.tv_sec) * 1e6 + (after.tv_nsec - before.tv_nsec) / 1e3;
    printf("%f\\n", taken / {MISSES});
    return 0;
}}
"""
_ANSWERED = """
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
int greeting();
int main(int count, char **words) {
    struct timespec before, after;
    greeting();
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (!dlopen(words[1], RTLD_NOW)) return puts(dlerror());
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("%f\\n", (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6);
    return 0;
}
"""


class Answered(LoaderSysroot):
    """A sysroot whose programs have the resident, with an index and nobody to ask."""

    def settle(self) -> None:
        """Make the resident, the place for what is opened, and an index of as many names as Debian has."""
        self.opened = self.root / "opened"
        resident = compile_loader(self.root / "denizen-resident")
        compile_loader(self.root / "denizen-attach")
        inside = compile_loader(self.root / "denizen-inside")
        directories = (os.fsencode(self.decisions),)
        self.configure(
            LoaderSettings(directories, (b"/bin/false",), inside=bytes(inside), resident=bytes(resident))
        )
        opened = Opened(os.fsencode(self.opened))
        opened.make()
        opened.deny(b"libdenied.so.1", "nobody has it")
        place = self.root / "index"
        place.write_bytes(index_file([b"libname%d.so.%d" % (n, n % 10) for n in range(NAMES)]))
        opened.look_in([bytes(place)])

    def native(self, name: str, source: str, *flags: str) -> Path:
        """A program that the host's ld.so starts."""
        return self.compile(name, source, f"-Wl,--dynamic-linker={self.ldso}", *flags, interpreter=False)

    def ours(self, name: str, source: str, *, answered: bool) -> Path:
        """The same, decided about."""
        program = self.compile(name, source)
        changes = {"opened": os.fsencode(self.opened)} if answered else {}
        self.decide(program, self.system("libc.so.6"), **changes)
        return program

    def hosts(self, name: str, source: str, *flags: str) -> Path:
        """The same as the host has it, and the words that start it there with the resident."""
        program = self.compile(name, source, *flags, interpreter=False)
        libc = self.system("libc.so.6")[0].resolve()
        Opened(os.fsencode(self.opened)).leave_to_host([bytes(libc.parent)])
        changes = {"opened": os.fsencode(self.opened), "search": b"", "ldso": bytes(HOST_LDSO)}
        self.decide(program, [DecisionLibrary(bytes(libc), b"libc.so.6")], host=True, **changes)
        return Path(f"{self.root}/denizen-attach\n{self.loader}\n{program}")


def main() -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        sysroot = Answered(Path(directory), compile_loader(Path(directory) / "compiled-loader"))
        sysroot.settle()
        starts(sysroot)
        misses(sysroot)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as directory:
        first_answer(DenizenHome(Path(directory)))


def starts(sysroot: Answered) -> None:
    """A program that opens nothing, and one that opens 50 libraries."""
    for number in range(LIBRARIES):
        functions = "".join(f"int f{number}_{i}(void) {{ return {i}; }}" for i in range(FUNCTIONS))
        names = ",".join(f"f{number}_{i}" for i in range(FUNCTIONS))
        sysroot.library(f"libbench{number}.so", f"{functions} int (*t{number}[])(void) = {{{names}}};")
    path, run_path = f"LD_LIBRARY_PATH={sysroot.lib}", f"-Wl,-rpath,{sysroot.lib}"
    empty = sysroot.root / "empty"
    empty.mkdir()
    contenders = {
        "opens nothing: native": ("", sysroot.native("none-native", _OPENS_NOTHING, run_path)),
        "opens nothing: LD_LIBRARY_PATH": (path, sysroot.native("none-path", _OPENS_NOTHING)),
        "opens nothing: loader": ("", sysroot.ours("none-loader", _OPENS_NOTHING, answered=False)),
        "opens nothing: loader and resident": (
            "",
            sysroot.ours("none-answered", _OPENS_NOTHING, answered=True),
        ),
        f"opens {LIBRARIES}: native": ("", sysroot.native("many-native", _OPENS, run_path)),
        f"opens {LIBRARIES}: LD_LIBRARY_PATH": (path, sysroot.native("many-path", _OPENS)),
        f"opens {LIBRARIES}: loader": ("", sysroot.ours("many-loader", _OPENS, answered=False)),
        f"opens {LIBRARIES}: loader and resident": ("", sysroot.ours("many-answered", _OPENS, answered=True)),
    }
    contenders |= {
        "opens nothing: started on the host, with the resident": (
            "",
            sysroot.hosts("none-host", _OPENS_NOTHING),
        ),
        f"opens {LIBRARIES}: started on the host, with the resident": (
            "",
            sysroot.hosts("many-host", _OPENS, run_path),
        ),
    }
    late = sysroot.ours("many-late", _OPENS, answered=True)
    decision = sysroot.decision(late, sysroot.system("libc.so.6"))
    sysroot.decide(late, sysroot.system("libc.so.6"), opened=os.fsencode(sysroot.opened), search=bytes(empty))
    assert decision.search != bytes(empty)
    opened = Opened(os.fsencode(sysroot.opened))
    opened.show({b"libbench%d.so" % n: bytes(sysroot.lib / f"libbench{n}.so") for n in range(LIBRARIES)})
    opened.join(bytes(empty))
    contenders[f"opens {LIBRARIES}: all brought by earlier runs"] = ("", late)
    timer = sysroot.native("timer", TIMER_C + _TIMER, "-O2", run_path)
    words = [word for variable, program in contenders.values() for word in (variable, str(program))]
    done = subprocess.run([timer, str(ROUNDS), *words], check=True, capture_output=True, text=True)
    times = dict(zip(contenders, map(float, done.stdout.split()), strict=True))
    rows = [("start to exit, tenth of a hundred", "us", "of native", "of LD_LIBRARY_PATH")]
    for name, taken in times.items():
        kind = name.partition(":")[0]
        beside = (times[f"{kind}: native"], times[f"{kind}: LD_LIBRARY_PATH"])
        rows.append((name, f"{taken:.0f}", f"{taken / beside[0]:.2f}", f"{taken / beside[1]:.2f}"))
    print(table(rows))
    print(f"claim: a program that opens {LIBRARIES} libraries, all known, at most 1.05 of native\n")


def misses(sysroot: Answered) -> None:
    """A name that nobody has."""
    native = sysroot.native("miss-native", _MISSES, f"-Wl,-rpath,{sysroot.lib}")
    ours = sysroot.ours("miss-answered", _MISSES, answered=True)
    commands = {
        "native": [str(native)],
        "in no index": [str(ours)],
        "denied before": [str(ours), "libdenied.so.1"],
    }
    rows = [("a miss", "us")]
    for name, command in commands.items():
        times = [
            float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for _ in range(5)
        ]
        rows.append((name, f"{statistics.median(times):.1f}"))
    print(table(rows))
    print("claim: at most 1000 us\n")


def first_answer(home: DenizenHome) -> None:
    """A library that a package has which is fetched, or unpacked too."""
    home.add_library("late", "int late(void) { return 1; }")
    home.denizen("index", "update")
    program = home.compile("answered", _ANSWERED, "-ldl")
    home.denizen("run", str(program), "liblate.so.1")
    times = []
    for _ in range(10):
        for place in (home.decisions / "opened").glob("*/*"):
            (place / "liblate.so.1").unlink(missing_ok=True)
            (place / ".asked").unlink(missing_ok=True)
            shutil.rmtree(place / ".all", ignore_errors=True)
        times.append(float(home.denizen("run", str(program), "liblate.so.1").stdout))
    shown = f"median {statistics.median(times):.0f} ms, fastest {min(times):.0f}"
    print(f"first answer, its package in the store: {shown} (claim: 100 on an idle machine)")


if __name__ == "__main__":
    print(f"{ROUNDS} rounds")
    main()
