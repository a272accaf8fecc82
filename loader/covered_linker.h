/* The host's own dynamic linker, where a loader of ours lies over it: inside another program that denizen started. */
#ifndef DENIZEN_COVERED_LINKER_H
#define DENIZEN_COVERED_LINKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A larger file is no loader, and need not be read to know it. */
enum { COVERED_MAX_LOADER = 64 * 1024 };

/* Return whether the file at `path` is a loader mounted over the host's dynamic linker; `room`, of PATH_ROOM
   bytes, then gets the path of that dynamic linker. */
bool covered_linker(const char *path, char *room);

#endif
