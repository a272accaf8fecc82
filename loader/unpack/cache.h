/* Directories in which images are kept unpacked, named by their hash. */
#ifndef DENIZEN_CACHE_H
#define DENIZEN_CACHE_H

#include "../auxv.h"
#include "../text.h"
#include "image_files.h"

/* The image as it lies in the launcher. `digest` are 64 digits; `mapped` bytes are in memory, up to the image's slack. */
struct packed_source {
    struct packed packed;
    const char *digest;
    const uint8_t *at;
    size_t size, mapped;
    bool verified;
};

struct cache_search {
    struct packed_source *source;
    /* The image is there already. */
    bool whole;
    /* Why the first place was not taken that could have been, for people. */
    char obstacle[300];
};

/* How many places there are. */
size_t cache_places(void);
/* The directory of a place; false where the environment names none. */
bool cache_directory(size_t place, const struct process *process, struct text *path);
/* Make and check it: this user's alone, and programs may be executed from it. */
bool cache_open(struct cache_search *search, const char *directory);
/* Unpack the image into it; false where there is no room. */
bool cache_fill(struct cache_search *search, const char *directory);
void cache_add_object(struct text *path, const struct packed_source *source);

#endif
