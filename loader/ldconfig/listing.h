/* The list that `ldconfig -p` prints, put together in memory, because its first line has the number of the others. */
#ifndef DENIZEN_LDCONFIG_LISTING_H
#define DENIZEN_LDCONFIG_LISTING_H

#include "../resident/package_index.h"

/* Names of libraries, the newest version first; `room` is null where there are none. */
struct names {
    const char **first;
    size_t count;
    char *room;
};

struct names names_in(const char *directory);
void names_free(const struct names *names);

/* `kind` is what ldconfig says of a library between brackets; `denied` are names that nobody has. */
struct listing {
    char *text;
    const char *kind;
    const struct names *denied;
    size_t used;
    uint32_t count;
};

/* A list without lines; `text` is null where there is no memory for one. */
struct listing listing_of(const char *kind, const struct names *denied);
/* The libraries that links in a directory lead to, in the order of ldconfig: a newer version first. */
void listing_directory(struct listing *listing, const char *directory);
/* The libraries of indexes[number] that the dynamic linker finds by their name and that no index before it has. */
void listing_index(struct listing *listing, const struct index *indexes, uint32_t number);
/* Write it to standard output. False: that could not be written. */
bool listing_write(const struct listing *listing);

#endif
