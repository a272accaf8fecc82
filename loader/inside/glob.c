/* glob(3), whose own reading of directories is not a call that can be answered: a pattern that the host has nothing for
   is matched once more in the tree of files, and what that has is named by its path on a host. */
#include "forwarding.h"

#include <stddef.h>

/* <glob.h> of glibc and of musl. */
enum { GLOB_APPENDS = 1 << 5, GLOB_DOES_OFFSETS = 1 << 3, GLOB_NO_MATCH = 3 };

/* The beginning of glob_t and of glob64_t; of musl's too. */
struct matches {
    size_t count;
    char **paths;
    size_t offset;
};

static void strip(struct matches *matches, size_t from, size_t offset, size_t prefix)
{
    for (size_t i = offset + from; i < offset + matches->count; i++) {
        char *path = matches->paths[i];
        __builtin_memmove(path, path + prefix, text_length(path + prefix) + 1);
    }
}

#define MATCHING(name)                                                                         \
    EXPORTED int name(const char *pattern, int flags, void *failed, struct matches *matches);  \
    static any_function *next_##name;                                                          \
    int name(const char *pattern, int flags, void *failed, struct matches *matches)            \
    {                                                                                          \
        char room[PATH_ROOM];                                                                  \
        __typeof__(&name) next = NEXT(name);                                                   \
        if (!next)                                                                             \
            return result_or_errno(NO_FUNCTION), GLOB_NO_MATCH;                                \
        int result = next(pattern, flags, failed, matches);                                    \
        size_t prefix = result == GLOB_NO_MATCH ? redirected_pattern(pattern, room) : 0;       \
        if (!prefix)                                                                           \
            return result;                                                                     \
        size_t before = flags & GLOB_APPENDS ? matches->count : 0;                             \
        result = next(room, flags, failed, matches);                                           \
        if (result == 0)                                                                       \
            strip(matches, before, flags & GLOB_DOES_OFFSETS ? matches->offset : 0, prefix);   \
        return result;                                                                         \
    }

MATCHING(glob)
MATCHING(glob64)
