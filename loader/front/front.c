/* The command `denizen`: executes `denizen-python` beside it, the script that an installer gave its Python.

   It stands before Python because Python ignores SIGPIPE and SIGXFSZ at its start, and nobody can tell then whether
   the caller had them ignored (../ignored_signals.h). It costs one execve of a static file, 0.2 ms.

   Python is executed by what the script's `#!` line names, which may have a space in its path, and with -SEPXutf8:
   without `site`, which reads the .pth files of all packages (2 ms of 9, 20 in a Python with many packages), without
   the variables that are for the program's Python (PYTHONHOME ended ours), without this directory among those of
   modules, and in UTF-8 whatever the locale, as Python 3.15 does by itself (PEP 686): a locale's own encoding lacks
   characters of the results, JSON is UTF-8, and to set it up takes a twentieth of Python's start. The script does what
   is needed of `site`. Anything else in that line, as the /bin/sh of an installer that has too long a path, is left to
   the kernel.

   SIGINT waits while Python starts, which answers it with a fatal error and pages of its own until denizen's code runs
   (../../src/denizen/cli/main.py lets it in). */
#include "../ignored_signals.h"
#include "python_environment.h"

ARCH_START;

static const char *const SCRIPT = "denizen-python";
/* What stands before the words of the caller: the interpreter, its option, the script in place of the command. */
enum { PYTHON_WORDS = 4 };
static const uint64_t INTERRUPT = (uint64_t)1 << (2 - 1);

_Noreturn void loader_start(uintptr_t *stack, const void *unused);

/* Addresses that a start by a kept decision takes with Python 3.11: of less Python speaks in pages of its own. */
static const uint64_t LEAST_ADDRESSES = (uint64_t)13 << 20;

static bool has_addresses(void)
{
    enum { AS = 9 };
    struct {
        uint64_t now;
        uint64_t most;
    } limit;
    return arch_syscall(__NR_prlimit64, 0, AS, 0, (long)&limit, 0, 0) != 0 || limit.now >= LEAST_ADDRESSES;
}

/* Where /proc is not mounted: the path that was executed (getauxval(3)), which may be a link's. */
static const char *executed(char **environment)
{
    while (*environment)
        environment++;
    for (const Auxv *entry = (const void *)(environment + 1); entry->a_type != AT_NULL; entry++)
        if (entry->a_type == AT_EXECFN)
            return (const char *)(uintptr_t)entry->a_un.a_val;
    return "";
}

/* The Python that the first line of SCRIPT names, NULL where it names something else: the kernel would end the path
   at the first space. */
static const char *python_of(const char *script, char *room)
{
    int file = sys_open(script, SYS_RDONLY);
    long length = file < 0 ? -1 : sys_pread(file, room, PATH_ROOM - 1, 0);
    if (file >= 0)
        sys_close(file);
    if (length < 3 || room[0] != '#' || room[1] != '!')
        return NULL;
    room[length] = '\0';
    for (char *at = room; *at; at++)
        if (*at == '\n')
            *at = '\0';
    return text_starts(text_file_name(room + 2), "python") ? room + 2 : NULL;
}

/* Execute `python -SEPXutf8 -Xinterrupt=held script words...`, the second option where SIGINT was not blocked by the
   caller; comes back with the error, 0 where nothing was tried. */
static long execute_python(const char *script, char **words, uintptr_t count, char **environment)
{
    char room[PATH_ROOM], option[] = "-SEPXutf8", held[] = "-Xinterrupt=held", path[PATH_ROOM];
    const char *python = python_of(script, room);
    struct text text = text_in(path, sizeof path);
    if (!python || count < 1)
        return 0;
    long at = sys_mmap(0, (count + PYTHON_WORDS) * sizeof(char *), SYS_PROT_READ | SYS_PROT_WRITE,
                       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at))
        return at;
    char **all = (void *)(uintptr_t)at, **to = all;
    uint64_t before = 0;
    sys_set_mask(SYS_SIG_BLOCK, &INTERRUPT, &before);
    text_add(&text, script);
    *to++ = (char *)(uintptr_t)python;
    *to++ = option;
    if (!(before & INTERRUPT))
        *to++ = held;
    *to++ = path;
    for (uintptr_t word = 1; word <= count; word++)
        *to++ = words[word];
    long problem = ignored_execute(python, all, python_environment(python, environment));
    sys_set_mask(SYS_SIG_SETMASK, &before, NULL);
    return problem;
}

_Noreturn void loader_start(uintptr_t *stack, const void *unused)
{
    (void)unused;
    char **words = (char **)(stack + 1), **environment = words + *stack + 1;
    char own[PATH_ROOM], script[PATH_ROOM];
    if (!has_addresses()) {
        say("there is not enough memory for this: the limit of this process is under 13 MB; try ulimit -v unlimited",
            (char *)0);
        sys_exit(EXIT_FAILED);
    }
    long length = sys_readlink("/proc/self/exe", own, sizeof own - 1);
    own[sys_failed(length) ? 0 : length] = '\0';
    const char *path = sys_failed(length) ? executed(environment) : own;
    struct text text = text_in(script, sizeof script);
    text_add_bytes(&text, path, (size_t)(text_file_name(path) - path));
    text_add(&text, SCRIPT);
    long problem = 0;
    if (!text.cut) {
        problem = execute_python(script, words, *stack, environment);
        if (problem != -SYS_E2BIG)
            problem = ignored_execute(script, words, environment);
    }
    if (problem == -SYS_EACCES)
        say("cannot start ", script, ": it, or the Python that it names, is closed to this user", (char *)0);
    else if (problem == -SYS_E2BIG)
        say("cannot start ", script, text_of_problem(problem), (char *)0);
    else
        say("cannot start ", script, ", the part of this command that is written in Python: reinstall denizen",
            (char *)0);
    sys_exit(EXIT_FAILED);
}
