"""Set-user-ID programs below our loader: nothing of who starts them reaches what runs as root."""

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import HOST_LDSO, TIMEOUT, LoaderSysroot

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="makes set-user-ID programs, and a root to start them in"
)

_USER = 12345
# glibc sysdeps/generic/unsecvars.h; its ld.so takes these away in secure execution.
_UNSECURE = (
    "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LD_AUDIT", "LD_BIND_NOT", "LD_BIND_NOW",
    "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_DYNAMIC_WEAK", "LD_HWCAP_MASK", "LD_LIBRARY_PATH", "LD_ORIGIN_PATH",
    "LD_PRELOAD", "LD_PREFER_MAP_32BIT_EXEC", "LD_PROFILE", "LD_PROFILE_OUTPUT", "LD_SHOW_AUXV",
    "LD_USE_LOAD_BIAS", "LD_VERBOSE", "LD_WARN", "LOCALDOMAIN", "LOCPATH", "MALLOC_ARENA_MAX",
    "MALLOC_CHECK_", "MALLOC_PERTURB_", "MALLOC_TRACE", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF",
    "RES_OPTIONS", "TMPDIR", "TZDIR",
)  # fmt: skip
_OURS = (
    "NIX_LD", "NIX_LD_LIBRARY_PATH", "NIX_LD_x86_64_linux", "NIX_LD_LIBRARY_PATH_x86_64_linux",
    "NIX_LD_aarch64_linux",
)  # fmt: skip
# capabilities(7), "File capability extended attribute versioning", version 2: CAP_SETUID, effective.
_SETUID_CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0)
_PLAIN = ("HOME", "LD", "NIX_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "XLD_PRELOAD")

_PRIVILEGED = """
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
int main(int count, char **words) {
    int status;
    for (char **each = environ; *each; each++) printf("own %s\\n", *each);
    fflush(stdout);
    if (setuid(0)) return 1;
    if (!fork()) { execv(words[1], words + 1); return 99; }
    wait(&status);
    return WEXITSTATUS(status);
}
"""
_CHILD = """
#include <stdio.h>
#include <unistd.h>
extern char **environ;
int main(void) {
    for (char **each = environ; *each; each++) printf("child %s\\n", *each);
    printf("uid %d\\n", (int)getuid());
}
"""
# In the place of a dynamic linker, which no C library has been set up for.
_EVIL = """
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
void _start(void) { call(1, 1, (long)"attacker's code\\n", 16), call(231, 0, 0, 0); }
"""
_HELPER = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
extern char **environ;
int main(int count, char **words) {
    char here[4096];
    sigset_t blocked;
    struct sigaction action;
    struct rlimit size, files;
    int ignored = 0, masked = 0, opened = 0;
    sigprocmask(SIG_SETMASK, 0, &blocked);
    for (int i = 1; i < 32; i++) {
        sigaction(i, 0, &action);
        ignored += action.sa_handler == SIG_IGN;
        masked += sigismember(&blocked, i);
    }
    for (int i = 3; i < 256; i++) opened += fcntl(i, F_GETFD) >= 0;
    getrlimit(RLIMIT_FSIZE, &size), getrlimit(RLIMIT_NOFILE, &files);
    for (char **each = environ; *each; each++) fprintf(stderr, "helper %s\\n", *each);
    fprintf(stderr, "uid %d, about %s in %s\\n", (int)getuid(), words[count - 1], getcwd(here, sizeof here));
    fprintf(stderr, "umask %03o ignored %d masked %d opened %d personality %d\\n", umask(0), ignored, masked,
            opened, personality(0xffffffff));
    fprintf(stderr, "size %d files %d\\n", size.rlim_cur == RLIM_INFINITY, files.rlim_cur >= 1024);
    return 1;
}
"""
_STEERING = """
#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char **words) {
    struct rlimit little = {1000, RLIM_INFINITY}, few;
    sigset_t all;
    sigfillset(&all), sigprocmask(SIG_SETMASK, &all, 0), signal(SIGCHLD, SIG_IGN), signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &little), umask(0), chdir("/tmp"), dup2(open("/", O_RDONLY), 9);
    getrlimit(RLIMIT_NOFILE, &few), few.rlim_cur = 20, setrlimit(RLIMIT_NOFILE, &few);
    personality(ADDR_NO_RANDOMIZE);
    execv(words[1], words + 1);
    return 99;
}
"""


# A library that speaks when it is loaded, without one of its own.
_PLANTED = """
__attribute__((constructor)) static void speak(void) {
    long result;
    __asm__ volatile("syscall" : "=a"(result)
                     : "a"(1), "D"(1), "S"("attacker's code\\n"), "d"(16) : "rcx", "r11", "memory");
}
"""
_GOING = """
#include <unistd.h>
int main(int count, char **words) { return chdir("/home") || execv(words[1], words + 1); }
"""
_BARE = """
#include <unistd.h>
int main(int count, char **words) {
    char *none[] = {0};
    return execve(words[1], none, none);
}
"""
# Without a place for a file, and without the three that everybody has.
_CLOSING = """
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
int main(int count, char **words) {
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most), most.rlim_cur = 3, setrlimit(RLIMIT_NOFILE, &most);
    for (int i = atoi(words[1]); i < 3; i++) close(i);
    execv(words[2], words + 2);
    return 99;
}
"""
_REPORTER = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    struct stat facts;
    char line[200];
    int report = open("/report", O_WRONLY | O_CREAT | O_TRUNC, 0600), at = sprintf(line, "report %d", report);
    for (int i = 0; i < 3; i++) at += sprintf(line + at, " %d", fstat(i, &facts) == 0);
    write(2, "an error", 8), write(report, line, at);
    return 1;
}
"""


class Chroot:
    """A root with a set-user-ID program; its dynamic linker is the loader, or glibc's own."""

    def __init__(self, sysroot: LoaderSysroot, *, native: bool = False, **changes: object) -> None:
        self.sysroot = sysroot
        self.native = native
        self.files = sysroot.root / ("native" if native else "ours")
        for name in ("app", "store/lib", "state", "lib64", "tmp", "home", "lib/x86_64-linux-gnu"):
            (self.files / name).mkdir(parents=True)
        for library in sysroot.system("libc.so.6"):
            shutil.copy(
                library.resolve(),
                self.files / ("lib/x86_64-linux-gnu" if native else "store/lib") / library.name,
            )
        shutil.copy(HOST_LDSO.resolve(), self.files / "store/ld.so")
        settings = LoaderSettings(directories=(b"/state",), **changes)  # type: ignore[arg-type]  # fields by name
        sysroot.configure(settings)
        shutil.copy(
            HOST_LDSO.resolve() if native else sysroot.loader, self.files / HOST_LDSO.relative_to("/")
        )

    def add(self, name: str, source: str, *flags: str, decided: bool = True, mode: int = 0o755) -> str:
        """Put a program at /app/NAME; natively nothing is decided."""
        made = self.sysroot.compile(f"{self.files.name}-{name}", source, *flags, interpreter=False)
        program = Path(shutil.copy(made, self.files / "app" / name))
        program.chmod(mode)
        if decided and not self.native:
            self.decide(program)
        return f"/app/{name}"

    def decide(self, program: Path) -> None:
        path = self.sysroot.decide(
            program, (DecisionLibrary(b"/store/lib/libc.so.6", b"libc.so.6"),),
            ldso=b"/store/ld.so", search=b"/store/lib", objects=(b"/store/lib",),
        )  # fmt: skip
        shutil.copy(path, self.files / "state")

    def privileged(self, source: str, *flags: str, by: str = "set-user-ID", decided: bool = True) -> str:
        """A program that may become root: by its mode, or by a capability of its file."""
        name = self.add("privileged", source, *flags, decided=False)
        path = self.files / "app/privileged"
        if by == "set-user-ID":
            path.chmod(0o4755)
        else:
            os.setxattr(path, "security.capability", _SETUID_CAPABILITY)
        if decided and not self.native:  # both change the file's time
            self.decide(path)
        return name

    def start(
        self, *words: str, env: Mapping[str, str], user: int = _USER
    ) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = ["chroot", f"--userspec={user}:{user}", self.files, *words]
        # chroot itself must not be steered: the words are handed on by a program of no libraries.
        starter = self.add("with", _WITH, "-static", decided=False)
        variables = [f"{name}={text}" for name, text in env.items()]
        command[3:3] = [starter, str(len(variables)), *variables]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)


_WITH = """
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
    char *none[] = {0}, **rest = words + 2 + atoi(words[1]), *first = *rest;
    *rest = 0;
    char **environment = words + 2, **arguments = calloc(count, sizeof *arguments);
    arguments[0] = first;
    for (int i = 1; rest[i]; i++) arguments[i] = rest[i];
    execve(first, arguments, *environment ? environment : none);
    return 98;
}
"""


@pytest.mark.parametrize("by", ["set-user-ID", "capabilities"])
def test_the_same_variables_are_taken_away_as_by_glibc(sysroot: LoaderSysroot, by: str) -> None:
    """Natively and below the loader, in the program and its child; the loader takes its own away besides."""
    env = dict.fromkeys((*_UNSECURE, *_OURS, *_PLAIN), "/nowhere")
    native, ours = Chroot(sysroot, native=True), Chroot(sysroot)
    said = []
    for root in (native, ours):
        done = root.start(root.privileged(_PRIVILEGED, by=by), root.add("child", _CHILD), env=env)
        assert done.returncode == 0
        said.append([*done.stdout.splitlines(), done.stderr])
    kept = [line for line in said[0] if not line.partition(" ")[2].startswith("NIX_LD")]
    assert said[1] == kept
    assert "child NIX_LD=/nowhere" in said[0]
    assert "child NIX_PATH=/nowhere" in said[1]
    assert "own LD_PRELOAD=/nowhere" not in said[1]


@pytest.mark.parametrize("nix_ld", [False, True])
def test_a_child_that_root_starts_does_not_follow_who_started_the_program(
    sysroot: LoaderSysroot, *, nix_ld: bool
) -> None:
    """The attack: the dynamic linker that NIX_LD names is the attacker's program."""
    root = Chroot(sysroot, nix_ld=nix_ld)
    root.add("evil", _EVIL, "-static-pie", "-nostdlib", decided=False)
    privileged = root.add("privileged", _PRIVILEGED, mode=0o4755)
    static = root.add("static", _PRIVILEGED, "-static", decided=False, mode=0o4755)
    child = root.add("child", _CHILD, decided=False)
    for program in (privileged, static):  # a static one keeps all of its environment
        done = root.start(program, child, env={"NIX_LD": "/app/evil", "NIX_LD_x86_64_linux": "/app/evil"})
        assert "attacker" not in done.stdout
        assert "no decision yet" in done.stderr


def test_the_set_user_id_program_itself_starts_no_helper(sysroot: LoaderSysroot) -> None:
    root = Chroot(sysroot, command=(b"/app/helper",))
    root.add("helper", _HELPER, "-static", decided=False)
    done = root.start(root.add("privileged", _PRIVILEGED, decided=False, mode=0o4755), env={})
    assert done.returncode == 127
    assert "helper" not in done.stderr
    assert "no decision yet" in done.stderr


def test_roots_helper_sees_nothing_of_who_started_the_program(sysroot: LoaderSysroot) -> None:
    root = Chroot(sysroot, command=(b"/app/helper", b"decide"))
    root.add("helper", _HELPER, "-static", decided=False)
    steering = root.add("steering", _STEERING, "-static", decided=False)
    privileged = root.add("privileged", _PRIVILEGED, "-static", decided=False, mode=0o4755)
    child = root.add("child", _CHILD, decided=False)
    env = {
        "PYTHONPATH": "/home",
        "PATH": "/home",
        "HOME": "/home",
        "XDG_STATE_HOME": "/home",
        "LD_PRELOAD": "/home/x",
    }
    lines = root.start(steering, privileged, child, env=env).stderr.splitlines()
    variables = [line.split()[1].split("=")[0] for line in lines if line.startswith("helper ")]
    assert variables == ["PATH", "DENIZEN_DECIDING"]
    assert "/home" not in "".join(lines)
    assert f"uid 0, about {child} in /" in lines
    assert "umask 022 ignored 0 masked 0 opened 0 personality 0" in lines
    assert "size 1 files 1" in lines


def test_a_users_helper_is_the_users_and_sees_nothing_of_the_programs_environment(
    sysroot: LoaderSysroot,
) -> None:
    root = Chroot(sysroot, command=(b"/app/helper", b"decide"))
    os.chown(root.files / "state", _USER, _USER)  # who could not keep the answer is not asked
    root.add("helper", _HELPER, "-static", decided=False)
    child = root.add("child", _CHILD, decided=False)
    env = {
        "PYTHONPATH": "/home",
        "PYTHONHOME": "/home",
        "PATH": "/home",
        "HOME": "/home",
        "LD_PRELOAD": "/home/x",
    }
    lines = root.start(child, env=env).stderr.splitlines()
    variables = [line.split()[1].split("=")[0] for line in lines if line.startswith("helper ")]
    assert variables == ["PATH", "DENIZEN_DECIDING"]
    assert "/home" not in "".join(line for line in lines if line.startswith("helper "))
    assert [line for line in lines if line.startswith(f"uid {_USER}, about {child} in ")]


@pytest.mark.parametrize("first", ["0", "1", "2"])
def test_roots_helper_takes_no_file_of_its_own_for_standard_error(sysroot: LoaderSysroot, first: str) -> None:
    """Where a daemon of root's left neither descriptors nor room for one, and no /dev/null is."""
    root = Chroot(sysroot, command=(b"/app/helper", b"decide"))
    root.add("helper", _REPORTER, "-static", decided=False)
    closing = root.add("closing", _CLOSING, "-static", decided=False)
    privileged = root.add("privileged", _PRIVILEGED, "-static", decided=False, mode=0o4755)
    child = root.add("child", _CHILD, decided=False)
    root.start(privileged, closing, first, child, env={})
    assert (root.files / "report").read_text() == "report 3 1 1 1"


def test_root_follows_no_decision_of_another_user(sysroot: LoaderSysroot) -> None:
    root = Chroot(sysroot)
    privileged, child = root.add("privileged", _PRIVILEGED, mode=0o4755), root.add("child", _CHILD)
    for decision in (root.files / "state").iterdir():
        if child.encode() in decision.read_bytes():
            os.chown(decision, _USER, _USER)
    done = root.start(privileged, child, env={})
    assert "uid" not in done.stdout
    assert "belongs to somebody else" in done.stderr


@pytest.mark.parametrize("by", ["set-user-ID", "capabilities"])
def test_what_lies_beside_a_link_to_the_program_is_not_loaded(sysroot: LoaderSysroot, by: str) -> None:
    """An attacker's directory, with a link to the program, what it needs, and what ld.so would look for."""
    root = Chroot(sysroot)
    evil = root.add("evil.so", _PLANTED, "-shared", "-fPIC", "-nostdlib", decided=False)
    root.privileged(_PRIVILEGED, "-Wl,-rpath,$ORIGIN:.:lib", by=by, decided=False)
    home = root.files / "home"
    (home / "lib").mkdir()
    for name in ("libc.so.6", "ld.so", "lib/libc.so.6", "ld-linux-x86-64.so.2", "ld.so.preload"):
        shutil.copy(root.files / evil[1:], home / name)
    os.link(root.files / "app/privileged", home / "privileged")
    root.decide(root.files / "app/privileged")  # the link changed the file's time
    steering = root.add("going", _GOING, "-static", decided=False)
    child = root.add("child", _CHILD)
    done = root.start(steering, "/home/privileged", child, env={"LD_LIBRARY_PATH": "/home", "HOME": "/home"})
    assert "uid 0" in done.stdout, done.stderr
    assert "attacker" not in done.stdout + done.stderr


@pytest.mark.parametrize("by", ["set-user-ID", "capabilities"])
@pytest.mark.parametrize("planted", ["decision", "directory"])
def test_a_decision_of_the_users_is_not_followed(sysroot: LoaderSysroot, by: str, planted: str) -> None:
    root = Chroot(sysroot)
    privileged = root.privileged(_PRIVILEGED, by=by)
    state = root.files / "state"
    for path in state.iterdir() if planted == "decision" else [state]:
        os.chown(path, _USER, _USER)
    done = root.start(privileged, root.add("child", _CHILD), env={})
    assert (done.returncode, done.stdout) == (127, "")
    assert "cannot start /app/privileged: its decision" in done.stderr


def test_without_arguments_it_starts_as_the_kernel_has_it(sysroot: LoaderSysroot) -> None:
    """From Linux 5.18 on argv[0] is then the empty string."""
    root = Chroot(sysroot)
    privileged = root.privileged("int main(int count, char **words) { return count * 10 + !words[0]; }")
    done = root.start(root.add("bare", _BARE, "-static", decided=False), privileged, env={})
    assert (done.returncode in {1, 10}, done.stderr) == (True, "")
