/* A loaded object, as ld.so tells of it. */
#ifndef DENIZEN_RESIDENT_LINK_MAP_H
#define DENIZEN_RESIDENT_LINK_MAP_H

#include "../sys.h"
#include "../text.h"

/* <link.h>: the part of ld.so's record of an object that is public. */
struct link_map {
    uintptr_t bias;
    const char *name;
    Dyn *dynamic;
};

/* The first entry with this tag, or null. */
Dyn *link_map_entry(const struct link_map *object, intptr_t tag);
/* Its string table, or null. */
const char *link_map_strings(const struct link_map *object);
bool link_map_needs(const struct link_map *object, const char *name);

#endif
