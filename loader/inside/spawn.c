/* posix_spawn: the C library executes by itself there, so it is given other words. */
#include "child.h"
#include "missing_command.h"
#include "search_path.h"
#include "forwarding.h"

EXPORTED int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                         char *const *words, char *const *environment);
EXPORTED int posix_spawnp(int *pid, const char *name, const void *actions, const void *attributes,
                          char *const *words, char *const *environment);
static any_function *next_posix_spawn;
static any_function *next_posix_spawnp;

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, char *const *words,
                char *const *environment)
{
    char room_for_path[PATH_ROOM];
    struct child child;
    size_t count = child_count(words);
    const char *brought = command_to_bring(path, environment, room_for_path);
    __typeof__(&posix_spawn) next = NEXT(posix_spawn);
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

int posix_spawnp(int *pid, const char *name, const void *actions, const void *attributes, char *const *words,
                 char *const *environment)
{
    struct lookup lookup;
    const char *path = path_through(&lookup, name, words);
    if (path)
        return posix_spawn(pid, path, actions, attributes, words, environment);
    __typeof__(&posix_spawnp) next = NEXT(posix_spawnp);
    return next ? next(pid, name, actions, attributes, words, environment) : -NO_FUNCTION;
}
