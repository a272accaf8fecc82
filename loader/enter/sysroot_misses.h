/* Looks of an emulator in a sysroot of denizen's that find nothing, and that packages may answer. */
#ifndef DENIZEN_ENTER_SYSROOT_MISSES_H
#define DENIZEN_ENTER_SYSROOT_MISSES_H

#include "../sys.h"
#include "../text.h"
#include "mounts.h"

/* What is missed in one sysroot, and what the helper is told of it. */
struct sysroot_miss {
    char name[PATH_ROOM];
    char opened[PATH_ROOM];
    char program[PATH_ROOM];
};

/* Return what of a path in a sysroot is the program's; null for a path elsewhere. */
const char *sysroot_misses_inside(const struct names *directories, const char *path);

/* Write the path of the program of which the sysroot is; `inside` begins behind that in `path`. */
bool sysroot_misses_program(const char *path, const char *inside, char *room);

/* Whether at `path`, which an emulator looks for, something is missed that some package may have: a library that the
   dynamic linker looks for by its name; a file of a library at a path of its own; what is installed at a place. */
bool sysroot_misses_library(const char *path, const char *inside, struct sysroot_miss *miss);
bool sysroot_misses_file(const char *path, const char *inside, struct sysroot_miss *miss);
bool sysroot_misses_place(const char *path, const char *inside, struct sysroot_miss *miss);

#endif
