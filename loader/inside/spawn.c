/* posix_spawn and pidfd_spawn: the C library executes by itself there, so it is given other words. */
#include "child.h"
#include "missing_command.h"
#include "search_path.h"
#include "forwarding.h"

/* All four: the first parameter gets the child's number, or a descriptor of the child. */
typedef int spawner(int *child, const char *path, const void *actions, const void *attributes, char *const *words,
                    char *const *environment);

EXPORTED spawner posix_spawn, posix_spawnp, pidfd_spawn, pidfd_spawnp;
static any_function *next_posix_spawn;
static any_function *next_posix_spawnp;
static any_function *next_pidfd_spawn;
static any_function *next_pidfd_spawnp;

static int spawn_by(spawner *next, int *pid, const char *path, const void *actions, const void *attributes,
                    char *const *words, char *const *environment)
{
    char room_for_path[PATH_ROOM];
    struct child child;
    size_t count = child_count(words);
    const char *brought = command_to_bring(path, environment, room_for_path);
    if (!next)
        return -NO_FUNCTION;
    child_look_at(&child, brought ? brought : path, words, brought != NULL);
    const char **room = child.through ? CHILD_ROOM(count) : NULL;
    if (!room)
        return next(pid, child.path, actions, attributes, words, environment);
    int problem = next(pid, child_start(&child), actions, attributes, child_words(&child, words, room), environment);
    child_give(room, count);
    return problem;
}

/* The first along PATH that is there, if we go with it; else the first that can be brought, there or beyond. */
static const char *path_through(struct lookup *lookup, const char *name, char *const *words)
{
    const char *beyond;
    struct child child;
    *lookup = lookup_begin(name);
    for (const char *path = lookup_next(lookup); path; path = lookup_next(lookup))
        if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 1, 0, 0, 0) == 0) {
            child_look_at(&child, path, words, false);
            return child.through ? path : NULL;
        }
    *lookup = lookup_begin(name);
    for (const char *path = lookup_next(lookup); path; path = lookup_next(lookup)) {
        child_look_at(&child, path, words, true);
        if (child.through)
            return path;
    }
    beyond = command_beyond_path(name, lookup->path);
    if (beyond)
        child_look_at(&child, beyond, words, true);
    return beyond && child.through ? beyond : NULL;
}

/* `next` searches PATH itself, for what starts without us. */
static int spawn_along_path(spawner *next, spawner *by_path, int *pid, const char *name, const void *actions,
                            const void *attributes, char *const *words, char *const *environment)
{
    struct lookup lookup;
    const char *path = path_through(&lookup, name, words);
    if (lookup.direct)
        path = name;
    if (path)
        return spawn_by(by_path, pid, path, actions, attributes, words, environment);
    return next ? next(pid, name, actions, attributes, words, environment) : -NO_FUNCTION;
}

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, char *const *words,
                char *const *environment)
{
    return spawn_by(NEXT(posix_spawn), pid, path, actions, attributes, words, environment);
}

int posix_spawnp(int *pid, const char *name, const void *actions, const void *attributes, char *const *words,
                 char *const *environment)
{
    return spawn_along_path(NEXT(posix_spawnp), NEXT(posix_spawn), pid, name, actions, attributes, words, environment);
}

/* Rust's library calls these where it finds them, which with ours it does before glibc 2.39 too. */
static int open_child(int problem, int pid, int *descriptor)
{
    if (!problem)
        *descriptor = (int)arch_syscall(__NR_pidfd_open, pid, 0, 0, 0, 0, 0);
    return problem;
}

static bool has_descriptors_of_processes(void)
{
    long own = arch_syscall(__NR_pidfd_open, arch_syscall(__NR_getpid, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0);
    if (!sys_failed(own))
        sys_close((int)own);
    return !sys_failed(own);
}

int pidfd_spawn(int *descriptor, const char *path, const void *actions, const void *attributes, char *const *words,
                char *const *environment)
{
    int pid = 0;
    spawner *next = NEXT(pidfd_spawn);
    if (next)
        return spawn_by(next, descriptor, path, actions, attributes, words, environment);
    if (!has_descriptors_of_processes())
        return -NO_FUNCTION;
    return open_child(posix_spawn(&pid, path, actions, attributes, words, environment), pid, descriptor);
}

int pidfd_spawnp(int *descriptor, const char *name, const void *actions, const void *attributes, char *const *words,
                 char *const *environment)
{
    int pid = 0;
    spawner *next = NEXT(pidfd_spawnp);
    if (next)
        return spawn_along_path(next, NEXT(pidfd_spawn), descriptor, name, actions, attributes, words, environment);
    if (!has_descriptors_of_processes())
        return -NO_FUNCTION;
    return open_child(posix_spawnp(&pid, name, actions, attributes, words, environment), pid, descriptor);
}
