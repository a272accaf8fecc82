"""Programs that are started by one strategy, and what they tell of themselves."""

import os
import subprocess
from pathlib import Path

from tests.support.offline_roots import LDSO, DenizenHome

# The kernel itself maps the program's file, or a copy of it, and so knows its name and its headers.
AS_A_FILE = ("installed", "namespace", "stub")
STRATEGIES = (*AS_A_FILE, "direct")

FACTS = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/auxv.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
const char *greeting(void);
extern char **environ;
int main(int count, char **words) {
    char path[4096];
    const char *what = words[1];
    if (!what || !greeting()) return 1;
    if (!strcmp(what, "words")) for (int i = 0; i < count; i++) puts(words[i]);
    if (!strcmp(what, "exe")) {
        char own[64], whole[PATH_MAX];
        path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0, puts(path);
        sprintf(own, "/proc/%d/exe", getpid());
        path[readlink(own, path, sizeof path - 1)] = 0, puts(path);
        int self = open("/proc/self", O_PATH | O_CLOEXEC);
        path[readlinkat(self, "exe", path, sizeof path - 1)] = 0, puts(path);
        puts(realpath("/proc/self/exe", whole));
    }
    if (!strcmp(what, "same")) {
        struct stat named, opened, meant;
        int file = open("/proc/self/exe", O_RDONLY);
        stat("/proc/self/exe", &named), fstat(file, &opened), stat(words[2], &meant);
        printf("%d %d\\n", named.st_ino == meant.st_ino, opened.st_ino == meant.st_ino);
    }
    if (!strcmp(what, "cmdline")) {
        FILE *all = fopen("/proc/self/cmdline", "r");
        for (int c; (c = getc(all)) != EOF;) putchar(c ? c : '\\n');
    }
    if (!strcmp(what, "execfn")) puts((const char *)getauxval(AT_EXECFN));
    if (!strcmp(what, "environment")) for (char **each = environ; *each; each++) puts(*each);
    if (!strcmp(what, "child")) return execl("/usr/bin/env", "env", NULL);
    if (!strcmp(what, "again")) return execl("/proc/self/exe", "another name", "words", "x", NULL);
    if (!strcmp(what, "execv")) return execv(words[2], words + 3);
    if (!strcmp(what, "execvp")) return execvp(words[2], words + 3);
    if (!strcmp(what, "vfork")) {
        int status, child = vfork();
        if (!child) execve(words[2], words + 3, environ), _exit(111);
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 112;
    }
    if (!strcmp(what, "spawn") || !strcmp(what, "spawnp")) {
        int child, status;
        int (*how)() = strcmp(what, "spawn") ? (int (*)())posix_spawnp : (int (*)())posix_spawn;
        if (how(&child, words[2], 0, 0, words + 3, environ)) return 113;
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 114;
    }
    if (!strcmp(what, "system")) return WEXITSTATUS(system(words[2]));
    if (!strcmp(what, "popen")) {
        FILE *of = popen(words[2], "r");
        while (fgets(path, 99, of)) fputs(path, stdout);
    }
    if (!strcmp(what, "exit")) return atoi(words[2]);
    if (!strcmp(what, "signal")) return kill(getpid(), atoi(words[2])), pause();
    if (!strcmp(what, "copy")) { int c; while ((c = getchar()) != EOF) putchar(c); }
    if (!strcmp(what, "signals")) {
        FILE *all = fopen("/proc/self/status", "r");
        while (fgets(path, 99, all))
            if (!strncmp(path, "Sig", 3) && strchr("BIC", path[3])) fputs(path, stdout);
    }
    if (!strcmp(what, "terminal"))
        printf("%d %d %d %d\\n", isatty(0), isatty(1), isatty(2), tcgetpgrp(0) == getpgrp());
    if (!strcmp(what, "descriptors")) {
        DIR *all = opendir("/proc/self/fd");
        for (struct dirent *one; (one = readdir(all));)
            if (atoi(one->d_name) != dirfd(all) && *one->d_name != '.') puts(one->d_name);
    }
    if (!strcmp(what, "payload")) {
        FILE *self = fopen("/proc/self/exe", "rb");
        fseek(self, -7, SEEK_END);
        path[fread(path, 1, 7, self)] = 0, puts(path);
    }
    return 0;
}
"""


class Started:
    """Programs under one strategy."""

    def __init__(self, home: DenizenHome, strategy: str, prefix: Path) -> None:
        self.home = home
        self.strategy = strategy
        self.interpreter = prefix / LDSO.relative_to("/")

    def compile(self, name: str, source: str, *flags: str) -> Path:
        """One whose interpreter is the installed loader, where that is the strategy."""
        linked = [f"-Wl,--dynamic-linker={self.interpreter}"] if self.strategy == "installed" else []
        return self.home.compile(f"{name}-{self.strategy}", source, *linked, *flags)

    def command(self, program: Path, *words: str) -> list[str]:
        """What starts it; with the loader installed nothing but the program does, once it is decided."""
        if self.strategy == "installed":
            return [os.fspath(program), *words]
        return self.home.command("run", "--strategy", self.strategy, os.fspath(program), *words)

    def run(
        self, program: Path, *words: str, env: dict[str, str] | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(program, *words), env=env or {}, input=stdin, capture_output=True, check=False,
            timeout=60,
        )  # fmt: skip

    def told(self, err: bytes) -> bytes:
        """Its standard error, without the line that each start by --strategy fhs says."""
        lines = err.splitlines(keepends=True)
        expected = b"it wants a /usr of its own " if self.strategy == "fhs" else b"\0"
        return b"".join(line for line in lines if not line.startswith(expected))

    def lines(self, program: Path, *words: str, env: dict[str, str] | None = None) -> list[str]:
        done = self.run(program, *words, env=env)
        assert (done.returncode, self.told(done.stderr)) == (0, b"")
        return done.stdout.decode().splitlines()


def file_of(started: Started, program: Path) -> Path:
    """What runs: of a patched copy the copy, whose entry point is another."""
    if started.strategy != "stub":
        return program
    copies = (started.home.decisions / "copies").rglob(program.name)
    (copy,) = (one for one in copies if not one.is_symlink())
    return copy
