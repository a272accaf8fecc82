"""denizen-attach: a program of the host's, executed as ever, with the loader before its dynamic linker."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from denizen.elf.image import read
from denizen.launch.decisions.static_tls import static_tls_edits
from denizen.launch.dlopen_record import Opened
from tests.support.compiled_loaders import HOST_LDSO, TIMEOUT, compile_loader, run
from tests.support.peers import require
from tests.support.resident_sysroots import INITIAL_EXEC, OPENS, USES_NUMBER, WATCHES, Resident, index_of

# All that a program can tell of how it was started; and who traces it, and which children it has.
_FACTS = """
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void copy(const char *path, const char *only) {
    char line[4096];
    FILE *all = fopen(path, "r");
    while (fgets(line, sizeof line, all))
        if (!strncmp(line, only, strlen(only))) fputs(line, stdout);
    fclose(all);
}
int main(int count, char **words) {
    char path[4096];
    for (int i = 0; i < count; i++) puts(words[i]);
    for (char **each = environ; *each; each++) puts(*each);
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0, puts(path);
    puts((const char *)getauxval(AT_EXECFN));
    /* Not SigQ: it counts the signals that wait for all processes of this user. */
    const char *wanted[] = {"Name", "TracerPid", "SigPnd", "SigB", "SigI", "SigC", "Shd", "NoNewPrivs", 0};
    for (const char **only = wanted; *only; only++) copy("/proc/self/status", *only);
    DIR *all = opendir("/proc/self/fd");
    for (struct dirent *one; (one = readdir(all));) if (*one->d_name != '.') puts(one->d_name);
    closedir(all);
    printf("%d %d\\n", waitpid(-1, 0, WNOHANG | __WALL), (int)getauxval(AT_SECURE));
    copy("/proc/self/environ", "");
    return 7;
}
"""
_REFUSES_TRACE = """
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_ptrace},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog filter = {4, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) return 99;
    return execv(words[1], words + 1);
}
"""


class Attached(Resident):
    """Programs that the kernel starts by the host's own dynamic linker, and decisions about them."""

    def settle(self, resident: Path) -> None:
        super().settle(resident)
        self.attach = compile_loader(self.root / "denizen-attach")
        (own,) = self.system("libc.so.6")
        Opened(os.fsencode(self.opened)).leave_to_host([os.fsencode(own.resolve().parent)])

    def known(self, name: str, source: str, *flags: str) -> Path:
        program = self.compile(name, source, *flags, interpreter=False)
        changes = {"opened": os.fsencode(self.opened), "ldso": os.fsencode(HOST_LDSO), "search": b""}
        self.decide(program, [], host=True, **changes)
        return program

    def start(self, program: Path, *words: str, env: dict[str, str] | None = None) -> tuple[str, int]:
        done = run(self.attach, str(self.loader), str(program), *words, env=env)
        assert done.stderr == ""
        return done.stdout, done.returncode


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loader(tmp_path_factory.mktemp("resident") / "denizen-resident")


@pytest.fixture
def attached(tmp_path: Path, loader: Path, library: Path) -> Attached:
    attached = Attached(tmp_path, loader)
    attached.settle(library)
    return attached


def test_a_program_of_the_hosts_has_brought_what_the_host_lacks(attached: Attached) -> None:
    attached.comes("libcomes.so.1", 7)
    assert attached.start(attached.known("opens", OPENS), "libcomes.so.1") == ("opened\n", 7)
    assert attached.asked == ["--missed libcomes.so.1"]


def test_it_can_tell_nothing_of_it(attached: Attached) -> None:
    program = attached.known("facts", _FACTS)
    env = {"ONE": "1", "EMPTY": "", "LD_LIBRARY_PATH": "/nowhere"}
    native = run(program, "a word", "", env=env)
    assert attached.start(program, "a word", "", env=env) == (native.stdout, native.returncode)


def test_it_cannot_tell_that_somebody_was_asked(attached: Attached) -> None:
    attached.comes("libcomes.so.1", 7)
    assert attached.start(attached.known("watches", WATCHES), "libcomes.so.1") == ("1 0 -1 1 0 1\n", 0)


def test_static_tls_of_needed_libraries_fits_beside_the_resident(attached: Attached) -> None:
    big = attached.library("libbig.so.1", INITIAL_EXEC)
    program = attached.compile("uses", USES_NUMBER, str(big), f"-Wl,-rpath,{big.parent}", interpreter=False)
    images = [read(path.read_bytes()) for path in (program, big)]
    ldso = read(HOST_LDSO.read_bytes())
    decided = {
        "opened": os.fsencode(attached.opened),
        "ldso": os.fsencode(HOST_LDSO),
        "search": b"",
        "host": True,
    }
    attached.decide(program, [], **decided)
    assert "static TLS" in run(attached.attach, str(attached.loader), str(program)).stderr
    attached.decide(program, [], edits=static_tls_edits(ldso, images), **decided)
    assert attached.start(program) == ("", 5)


def test_where_nobody_decided_it_starts_natively(attached: Attached) -> None:
    program = attached.compile("opens", OPENS, interpreter=False)
    assert attached.start(program, "libc.so.6")[0] == "opened\n"
    assert attached.asked == []


def test_where_there_is_no_loader_it_starts_natively(attached: Attached) -> None:
    program = attached.known("opens", OPENS)
    attached.loader.unlink()
    assert attached.start(program, "libc.so.6")[0] == "opened\n"


def test_where_tracing_is_refused_it_starts_natively(attached: Attached) -> None:
    """A process that is traced already, as by strace, is one more such case: nobody else can attach."""
    sandbox = attached.compile("refuses", _REFUSES_TRACE, interpreter=False)
    program = attached.known("facts", _FACTS)
    native = run(sandbox, str(program), "word")
    done = run(sandbox, str(attached.attach), str(attached.loader), str(program), "word")
    assert (done.stdout, done.returncode) == (native.stdout, native.returncode)


def test_a_static_program_starts_natively(attached: Attached) -> None:
    program = attached.compile("static", "int main() { return 5; }", "-static", interpreter=False)
    assert attached.start(program) == ("", 5)


@pytest.mark.parametrize(("mode", "status"), [(0o644, 126), (None, 127)])
def test_what_cannot_be_executed_is_told_as_without_it(
    attached: Attached, mode: int | None, status: int
) -> None:
    program = attached.known("opens", OPENS)
    program.unlink() if mode is None else program.chmod(mode)
    done = run(attached.attach, str(attached.loader), str(program))
    assert (done.returncode, str(program) in done.stderr) == (status, True)


def test_signals_that_come_at_any_moment_reach_it(attached: Attached) -> None:
    """It ends by the first, wherever it was: nobody is left who waits."""
    program = attached.known("waits", "int main() { for (;;) pause(); }", "-include", "unistd.h")
    for number in range(60):
        command = [attached.attach, attached.loader, program]
        process = subprocess.Popen(command, env={}, start_new_session=True)
        if number % 3:
            Path("/proc/self/stat").read_text()  # some microseconds more or less
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(TIMEOUT) == -signal.SIGTERM


def test_one_that_ends_before_it_is_traced_leaves_nobody(attached: Attached) -> None:
    """The signal waits until there is a tracer, and comes before the tracer was told to begin."""
    require("strace")
    program = attached.known("returns", "int main() { return 7; }")
    around = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=clone", "-e", "inject=clone:signal=TERM"]
    command: list[str | Path] = [*around, attached.attach, attached.loader, program]
    # Whoever is left has the pipe open, so that there is no end to it.
    done = subprocess.run(command, env={}, capture_output=True, check=False, timeout=TIMEOUT)
    assert done.returncode in {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_what_the_host_has_is_the_hosts(attached: Attached) -> None:
    """A name of the host's is opened from there, though it came from elsewhere while the host lacked it."""
    attached.comes("libcomes.so.1", 7)
    index_of(attached, b"libcomes.so.1")
    program = attached.known("opens", OPENS)
    assert attached.start(program, "libz.so.1", "libnobody.so.1", "libcomes.so.1")[1] == 7
    assert attached.asked == ["--missed libcomes.so.1"]


def test_its_run_path_is_the_programs_alone(attached: Attached) -> None:
    """A library without one finds the host's, and not what lies beside the program, as natively."""
    beside = attached.compile("beside/libz.so.1", "int number(void) { return 9; }", "-shared", "-fPIC")
    text = """
    #include <dlfcn.h>
    int number(void) {
        void *found = dlopen("libz.so.1", RTLD_NOW);
        return !found ? 1 : dlsym(found, "zlibVersion") ? 2 : 3;
    }
    """
    host = attached.compile("host/libasks.so", text, "-shared", "-fPIC")
    for path in (beside.parent, "$ORIGIN/beside/"):
        program = attached.known("opens", OPENS, f"-Wl,--enable-new-dtags,-rpath,{path}")
        assert attached.start(program, str(host)) == run_natively(program, str(host))
        assert attached.start(program, "libz.so.1") == ("opened\n", 9)


def run_natively(program: Path, *words: str) -> tuple[str, int]:
    done = run(program, *words)
    return done.stdout, done.returncode


def test_what_is_opened_before_the_program_runs_is_brought(attached: Attached) -> None:
    """A constructor of a library that the program starts with opens it."""
    attached.comes("libcomes.so.1", 7)
    text = """
    #include <dlfcn.h>
    void *early;
    __attribute__((constructor)) static void first(void) { early = dlopen("libcomes.so.1", RTLD_NOW); }
    """
    needed = attached.compile("needed/libneeded.so", text, "-shared", "-fPIC", "-Wl,-soname,libneeded.so")
    flags = (str(needed), f"-Wl,-rpath,{needed.parent}")
    program = attached.known("early", "extern void *early; int main(void) { return early ? 4 : 5; }", *flags)
    assert attached.start(program) == ("", 4)
    assert attached.asked == ["--missed libcomes.so.1"]
