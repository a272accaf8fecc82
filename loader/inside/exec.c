/* The exec functions. All of them may be called after vfork, so they use no memory but the stack. */
#include <stdarg.h>

#include "child.h"
#include "missing_command.h"
#include "search_path.h"
#include "forwarding.h"

extern WEAK char **environ;
EXPORTED int execve(const char *path, char *const *words, char *const *environment);
EXPORTED int execv(const char *path, char *const *words);
EXPORTED int execvp(const char *name, char *const *words);
EXPORTED int execvpe(const char *name, char *const *words, char *const *environment);
EXPORTED int execl(const char *path, const char *word, ...);
EXPORTED int execlp(const char *name, const char *word, ...);
EXPORTED int execle(const char *path, const char *word, ...);
EXPORTED int fexecve(int fd, char *const *words, char *const *environment);
EXPORTED int execveat(int at, const char *path, char *const *words, char *const *environment, int flags);

enum { NOT_EXECUTABLE = -8 };

int execve(const char *path, char *const *words, char *const *environment)
{
    char room[PATH_ROOM];
    long problem = child_execute(path, words, environment, false);
    const char *brought = problem == -SYS_ENOENT ? command_to_bring(path, environment, room) : NULL;
    return (int)result_or_errno(brought ? child_execute(brought, words, environment, true) : problem);
}

int execv(const char *path, char *const *words)
{
    return execve(path, words, environ);
}

/* A file the kernel does not know is a script of the shell's (POSIX, execvp). */
static long execute_by_shell(const char *path, char *const *words, char *const *environment)
{
    size_t count = child_count(words);
    const char **all = CHILD_ROOM(count);
    const char **next = all;
    if (!all)
        return NOT_EXECUTABLE;
    *next++ = "/bin/sh";
    *next++ = path;
    for (size_t i = 1; i < count; i++)
        *next++ = words[i];
    *next = NULL;
    long problem = child_execute("/bin/sh", (char *const *)(const void *)all, environment, true);
    child_give(all, count);
    return problem;
}

static long execute_along_path(const char *name, char *const *words, char *const *environment, bool brings)
{
    struct lookup lookup = lookup_begin(name);
    long problem = -SYS_ENOENT;
    for (const char *path = lookup_next(&lookup); path; path = lookup_next(&lookup)) {
        long result = child_execute(path, words, environment, brings);
        if (result == NOT_EXECUTABLE)
            result = execute_by_shell(path, words, environment);
        if (result == -SYS_EACCES)
            problem = result;
        if (lookup.direct || !lookup_goes_on(result))
            return result;
    }
    return problem;
}

/* What is anywhere along PATH comes before what could be brought to the first directory of it, or beyond it. */
int execvpe(const char *name, char *const *words, char *const *environment)
{
    char room[PATH_ROOM];
    long problem = execute_along_path(name, words, environment, false);
    if (problem == -SYS_ENOENT)
        problem = execute_along_path(name, words, environment, true);
    const char *beyond = problem != -SYS_ENOENT        ? NULL
                         : lookup_begin(name).direct ? command_to_bring(name, environment, room)
                                                     : command_beyond_path(name, room);
    return (int)result_or_errno(beyond ? child_execute(beyond, words, environment, true) : problem);
}

int execvp(const char *name, char *const *words)
{
    return execvpe(name, words, environ);
}

static size_t count_words(va_list rest)
{
    size_t count = 1;
    while (va_arg(rest, char *))
        count++;
    return count;
}

static void take_words(const char **words, const char *first, va_list rest)
{
    *words++ = first;
    while ((*words++ = va_arg(rest, const char *)))
        continue;
}

/* The words of a call with a list of them, on the caller's stack. */
#define LISTED(words, word, rest)                         \
    va_list rest;                                         \
    va_start(rest, word);                                 \
    const char **words = __builtin_alloca(CHILD_SIZE(count_words(rest))); \
    va_end(rest);                                         \
    va_start(rest, word);                                 \
    take_words(words, word, rest);                        \
    va_end(rest)

int execl(const char *path, const char *word, ...)
{
    LISTED(words, word, rest);
    return execv(path, (char *const *)(const void *)words);
}

int execlp(const char *name, const char *word, ...)
{
    LISTED(words, word, rest);
    return execvp(name, (char *const *)(const void *)words);
}

int execle(const char *path, const char *word, ...)
{
    LISTED(words, word, rest);
    va_list again;
    va_start(again, word);
    for (size_t left = child_count((char *const *)(const void *)words); left--;)
        (void)va_arg(again, char *);
    char *const *environment = va_arg(again, char *const *);
    va_end(again);
    return execve(path, (char *const *)(const void *)words, environment);
}

/* The file of a descriptor by its name, while that leads to it. */
static bool name_descriptor(int fd, char *room)
{
    struct arch_stat named;
    struct arch_stat opened;
    char link[32];
    struct text path = text_in(link, sizeof link);
    text_add(&path, "/proc/self/fd/");
    text_add_decimal(&path, (uint32_t)fd);
    long length = fd >= 0 ? sys_readlink(link, room, PATH_ROOM - 1) : -1;
    room[length > 0 ? length : 0] = '\0';
    return room[0] == '/' && sys_stat(room, &named) >= 0 && sys_fstat(fd, &opened) >= 0 &&
           named.device == opened.device && named.inode == opened.inode;
}

int execveat(int at, const char *path, char *const *words, char *const *environment, int flags)
{
    char room[PATH_ROOM];
    if (path && path[0] && !flags && (path[0] == '/' || at == SYS_AT_CWD))
        return execve(path, words, environment);
    if (path && !path[0] && (flags & SYS_AT_EMPTY_PATH) && name_descriptor(at, room))
        return execve(room, words, environment);
    return (int)result_or_errno(arch_syscall(__NR_execveat, at, (long)path, (long)words, (long)environment, flags, 0));
}

int fexecve(int fd, char *const *words, char *const *environment)
{
    return execveat(fd, "", words, environment, SYS_AT_EMPTY_PATH);
}
