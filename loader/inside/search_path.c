#include "search_path.h"

extern WEAK char **environ;

/* confstr(_CS_PATH): where PATH is not set. */
static const char *const DEFAULT_PATH = "/bin:/usr/bin";

static const char *path_variable(char *const *environment)
{
    for (char *const *each = environment; each && *each; each++)
        if (text_starts(*each, "PATH="))
            return *each + sizeof "PATH=" - 1;
    return NULL;
}

static const char *search_path(char *const *environment)
{
    const char *given = path_variable(environment);
    return given ? given : DEFAULT_PATH;
}

bool lookup_has_path(char *const *environment)
{
    return path_variable(environment) != NULL;
}

static bool has_slash(const char *name)
{
    while (*name && *name != '/')
        name++;
    return *name != '\0';
}

struct lookup lookup_along(const char *name, char *const *environment)
{
    return (struct lookup){.name = name, .rest = search_path(environment)};
}

bool lookup_covers(const char *path, char *const *environment)
{
    size_t length = (size_t)(text_file_name(path) - path);
    for (const char *start = search_path(environment); length; start++) {
        const char *end = start;
        while (*end && *end != ':')
            end++;
        if ((size_t)(end - start) + 1 == length && __builtin_memcmp(start, path, length - 1) == 0)
            return true;
        if (!*end)
            return false;
        start = end;
    }
    return false;
}

/* An empty name is nowhere; one with a slash is where it says. */
struct lookup lookup_begin(const char *name)
{
    struct lookup lookup = {.name = name, .rest = NULL, .direct = name && has_slash(name)};
    if (name && *name)
        lookup.rest = lookup.direct ? "" : search_path(environ);
    return lookup;
}

const char *lookup_next(struct lookup *lookup)
{
    const char *start = lookup->rest;
    if (!start)
        return NULL;
    if (lookup->direct) {
        lookup->rest = NULL;
        return lookup->name;
    }
    const char *end = start;
    while (*end && *end != ':')
        end++;
    struct text path = text_in(lookup->path, PATH_ROOM);
    text_add_bytes(&path, start, (size_t)(end - start));
    text_add(&path, end > start ? "/" : "");
    text_add(&path, lookup->name);
    lookup->rest = *end ? end + 1 : NULL;
    return path.cut ? lookup_next(lookup) : lookup->path;
}

bool lookup_goes_on(long problem)
{
    enum { ENOENT = 2, EACCES = 13, ENODEV = 19, ENOTDIR = 20, ETIMEDOUT = 110, ESTALE = 116 };
    return problem == -ENOENT || problem == -EACCES || problem == -ENODEV || problem == -ENOTDIR ||
           problem == -ETIMEDOUT || problem == -ESTALE;
}
