"""Sysroots whose programs have the resident, and programs that open libraries."""

import os
from pathlib import Path

from denizen.launch.dlopen_record import Opened
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import LoaderSysroot, run
from tests.support.index_files import index_file

# Opens each word, tells what came of it, and ends with the number of the last library.
OPENS = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    int number = 0;
    for (int i = 1; i < count; i++) {
        void *found = dlopen(words[i], RTLD_NOW);
        int (*of)(void) = found ? (int (*)(void))dlsym(found, "number") : 0;
        puts(found ? "opened" : dlerror());
        number = of ? of() : number;
    }
    return number;
}
"""
# A library with more static TLS than glibc has in reserve, as libjemalloc.so.2; and a program that needs it.
INITIAL_EXEC = """
static __thread char block[4000] __attribute__((tls_model("initial-exec")));
int number(void) { block[3999] = 5; return block[3999] + block[0]; }
"""
# A library that is not marked as having static TLS, and a program that takes its variable to be there.
GENERAL_DYNAMIC = "__thread char block[4000] = {5};"
USES_VARIABLE = "extern __thread char block[4000]; int main(void) { return block[0] + block[3999]; }"
USES_NUMBER = "int number(void); int main(void) { return number(); }"
# Whatever a program could tell that it had a child: signals, its wait, descriptors, the mask.
WATCHES = """
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
static volatile int signals;
static void count(int number) { signals++; }
static int descriptors(void) {
    DIR *all = opendir("/proc/self/fd");
    int found = 0;
    while (readdir(all)) found++;
    closedir(all);
    return found;
}
int main(int many, char **words) {
    sigset_t before, after;
    int fds = descriptors();
    for (int number = 1; number < 32; number++) signal(number, count);
    sigprocmask(SIG_BLOCK, 0, &before);
    void *found = dlopen(words[1], RTLD_NOW);
    sigprocmask(SIG_BLOCK, 0, &after);
    int same = sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM);
    int waited = waitpid(-1, 0, WNOHANG);
    printf("%d %d %d %d %d %d\\n", found != 0, signals, waited, errno == ECHILD, descriptors() - fds, same);
    return 0;
}
"""
# Opens each word in a name space that has nothing yet.
SEPARATES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    for (int i = 1; i < count; i++)
        puts(dlmopen(LM_ID_NEWLM, words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""
# A library that opens another before anybody calls it.
CONSTRUCTS = """
#include <dlfcn.h>
#include <stdio.h>
__attribute__((constructor)) static void open_early(void) {
    void *found = dlopen("NAME", RTLD_NOW | RTLD_LOCAL);
    printf("%d\\n", found ? ((int (*)(void))dlsym(found, "number"))() : 0);
    fflush(stdout);
}
"""
INTERRUPTED = """
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
static volatile int handled;
static void count(int number) { handled++; }
int main(int many, char **words) {
    struct sigaction action = {.sa_handler = count};
    struct itimerval often = {{0, 1000}, {0, 1000}};
    sigaction(SIGALRM, &action, 0);
    setitimer(ITIMER_REAL, &often, 0);
    void *found = dlopen(words[1], RTLD_NOW);
    while (!handled) {}
    signal(SIGALRM, SIG_IGN);
    printf("%d handled\\n", found ? ((int (*)(void))dlsym(found, "number"))() : 0);
    return 0;
}
"""
SHOWS_MAPS = """
#include <stdio.h>
int main(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    for (int c; (c = getc(maps)) != EOF;) putchar(c);
    return 0;
}
"""
# A thread that opens 25 names that nobody has.
OPEN_MANY = """
static void *open_many(void *first) {
    long opened = 0;
    for (long i = 0; i < 25; i++) {
        char name[99];
        snprintf(name, 99, "libnobody%ld.so.%ld", (long)first, i);
        opened += dlopen(name, RTLD_NOW) != 0;
    }
    return (void *)opened;
}
"""
# Eight such threads; then `last` is opened.
MANY = (
    OPEN_MANY
    + """
static int many(const char *last) {
    pthread_t threads[8];
    long opened = 0;
    void *one;
    for (long i = 0; i < 8; i++) pthread_create(threads + i, 0, open_many, (void *)i);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], &one), opened += (long)one;
    printf("%ld %d\\n", opened, dlopen(last, RTLD_NOW) != 0);
    return 0;
}
"""
)
THREADS = (
    """
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
"""
    + OPEN_MANY
    + """int main(void) {
    pthread_t threads[8];
    long opened = 0;
    int status;
    for (long i = 0; i < 8; i++) pthread_create(threads + i, 0, open_many, (void *)i);
    int child = fork();
    if (!child) _exit(dlopen("libcomes.so.1", RTLD_NOW) ? 3 : 4);
    waitpid(child, &status, 0);
    for (int i = 0; i < 8; i++) {
        void *one;
        pthread_join(threads[i], &one);
        opened += (long)one;
    }
    printf("%ld %d %d\\n", opened, WEXITSTATUS(status), dlopen("libcomes.so.1", RTLD_NOW) != 0);
    return 0;
}
"""
)
SANDBOXED = """
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
int main(int count, char **words) {
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog filter = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) return 9;
    return dlopen(words[1], RTLD_NOW) ? 1 : 0;
}
"""
# Answers from a directory, and writes down what it was asked with.
_HELPER = """#!/bin/sh
printf '%s\\n' "$*" >>"$(dirname "$0")/asked"
env | sort >"$(dirname "$0")/environment"
case $4 in
    libcomes.so.*) ln -s "$(dirname "$0")/answers/$4" "$2/$4";;
    libdenied.so.1) : >"$2/.absent/$4";;
    libkills.so.1) kill -9 $$;;
    libwaits.so.1) echo $$ >"$(dirname "$0")/number"; exec sleep 1000;;
esac
"""


class Resident(LoaderSysroot):
    """A sysroot whose programs have the resident, and a helper that is a shell script."""

    def settle(self, resident: Path) -> None:
        self.answers = self.root / "answers"
        self.answers.mkdir()
        self.opened = self.root / "opened"
        Opened(os.fsencode(self.opened)).make()
        helper = self.root / "helper"
        helper.write_text(_HELPER)
        helper.chmod(0o755)
        self.configure(
            LoaderSettings(
                directories=(os.fsencode(self.decisions),),
                command=(os.fsencode(helper),),
                resident=os.fsencode(resident),
            )
        )

    def known(self, name: str, source: str, *flags: str) -> Path:
        program = self.compile(name, source, *flags)
        self.decide(program, self.system("libc.so.6"), opened=os.fsencode(self.opened))
        return program

    def comes(self, name: str, number: int, *flags: str) -> Path:
        source = f"int number(void) {{ return {number}; }}"
        return self.compile(f"answers/{name}", source, "-shared", "-fPIC", f"-Wl,-soname,{name}", *flags)

    def joined(self, name: str, number: int) -> Path:
        """A program that opens its words; it had the library once, and finds it with the rest."""
        self.comes(name, number)
        program = self.known("opens", OPENS)
        assert run(program, name).returncode == number
        Opened(os.fsencode(self.opened)).join(os.fsencode(self.lib))
        return program

    @property
    def asked(self) -> list[str]:
        """How the helper was called: how a name was missed, and the name."""
        record = self.root / "asked"
        lines = record.read_text().splitlines() if record.exists() else []
        return [" ".join(line.split()[2:4]) for line in lines]


def index_of(resident: Resident, *names: bytes) -> Path:
    """An index that has these names, for the resident to look into."""
    place = resident.root / "index"
    place.write_bytes(index_file(names))
    Opened(os.fsencode(resident.opened)).look_in([os.fsencode(place)])
    return place
