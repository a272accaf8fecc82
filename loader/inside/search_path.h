/* A command's name along PATH. */
#ifndef DENIZEN_INSIDE_SEARCH_PATH_H
#define DENIZEN_INSIDE_SEARCH_PATH_H

#include "loader_facts.h"

struct lookup {
    const char *name;
    const char *rest;
    /* The name has a slash: what becomes of it is the answer. */
    bool direct;
    char path[PATH_ROOM];
};

struct lookup lookup_begin(const char *name);
/* The same by the PATH of these variables, and whatever the name. */
struct lookup lookup_along(const char *name, char *const *environment);
/* Whether a path is a name in a directory of that PATH. */
bool lookup_covers(const char *path, char *const *environment);
/* Whether these variables have a PATH at all; without one the C library's default serves. */
bool lookup_has_path(char *const *environment);
/* The next path to try, in the lookup's own room; null after the last. */
const char *lookup_next(struct lookup *lookup);
/* Whether this failure lets the search go on (glibc posix/execvpe.c). */
bool lookup_goes_on(long problem);

#endif
