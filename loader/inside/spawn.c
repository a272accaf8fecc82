/* posix_spawn, system and popen: the C library executes by itself there, so it is given other words. */
#include "child.h"
#include "lookup.h"
#include "passing.h"

EXPORTED int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                         char *const *words, char *const *environment);
EXPORTED int posix_spawnp(int *pid, const char *name, const void *actions, const void *attributes,
                          char *const *words, char *const *environment);
EXPORTED int system(const char *line);
EXPORTED void *popen(const char *line, const char *mode);
static any_function *next_posix_spawn;
static any_function *next_posix_spawnp;
static any_function *next_system;
static any_function *next_popen;

enum { LINE_LIMIT = 16384 };

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, char *const *words,
                char *const *environment)
{
    struct child child;
    size_t count = child_count(words);
    __typeof__(&posix_spawn) next = NEXT(posix_spawn);
    if (!next)
        return -NO_FUNCTION;
    child_look_at(&child, path);
    const char **room = child.through ? CHILD_ROOM(count) : NULL;
    if (!room)
        return next(pid, child.path, actions, attributes, words, environment);
    int problem = next(pid, known()->loader, actions, attributes, child_words(&child, words, room), environment);
    child_give(room, count);
    return problem;
}

int posix_spawnp(int *pid, const char *name, const void *actions, const void *attributes, char *const *words,
                 char *const *environment)
{
    struct lookup lookup = lookup_begin(name);
    for (const char *path = lookup_next(&lookup); path; path = lookup_next(&lookup))
        if (arch_syscall(__NR_faccessat, SYS_AT_CWD, (long)path, 1, 0, 0, 0) == 0) {
            struct child child;
            child_look_at(&child, path);
            if (child.through)
                return posix_spawn(pid, path, actions, attributes, words, environment);
            break;
        }
    __typeof__(&posix_spawnp) next = NEXT(posix_spawnp);
    return next ? next(pid, name, actions, attributes, words, environment) : -NO_FUNCTION;
}

static void add_quoted(struct text *text, const char *word)
{
    text_add(text, "'");
    for (; *word; word++)
        if (*word == '\'')
            text_add(text, "'\\''");
        else
            text_add_bytes(text, word, 1);
    text_add(text, "'");
}

/* The shell that the C library starts becomes one that we go with. What is too long stays as it is. */
static const char *through_loader(const char *line, char *room)
{
    struct child shell;
    child_look_at(&shell, "/bin/sh");
    if (!line || !shell.through)
        return line;
    struct text text = text_in(room, LINE_LIMIT);
    text_add(&text, "exec ");
    add_quoted(&text, known()->loader);
    text_add(&text, " --as /bin/sh sh -c ");
    add_quoted(&text, line);
    return text.cut ? line : room;
}

int system(const char *line)
{
    char room[LINE_LIMIT];
    __typeof__(&system) next = NEXT(system);
    return next ? next(through_loader(line, room)) : (int)answer(NO_FUNCTION);
}

void *popen(const char *line, const char *mode)
{
    char room[LINE_LIMIT];
    __typeof__(&popen) next = NEXT(popen);
    if (next)
        return next(through_loader(line, room), mode);
    answer(NO_FUNCTION);
    return NULL;
}
