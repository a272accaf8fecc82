/* A shared object's needs and versions, read from its file without loading it. */
#ifndef DENIZEN_SHARED_OBJECT_H
#define DENIZEN_SHARED_OBJECT_H

#include "sys.h"

/* A file mapped for reading; every access is checked against its size. */
struct object {
    const char *content;
    size_t size;
    const Phdr *phdr;
    size_t phnum;
    const Dyn *dynamic;
    size_t count;
    const char *strings;
    size_t strings_size;
};

/* One version that is asked of a library. */
struct version_need {
    const char *library;
    const char *name;
};

/* Map the file; false where it is no shared object of this machine, and nothing is mapped then. */
bool object_open(const char *path, struct object *object);
void object_close(const struct object *object);
/* Read what lies in memory already. */
bool object_read(const char *content, size_t size, struct object *object);
/* The string of the entry with this tag, the first at or after `*index`, which moves behind it; null for no more. */
const char *object_string(const struct object *object, intptr_t tag, size_t *index);
/* Get the needed version number `index` that is not weak; return false for no more. */
bool object_need(const struct object *object, size_t index, struct version_need *need);
/* Return whether the object defines the version; true if it defines none at all, as for ld.so. */
bool object_defines(const struct object *object, const char *version);

#endif
