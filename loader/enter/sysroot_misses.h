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

/* Whether at `path`, which an emulator looks for, a library is missed that some package may have. */
bool sysroot_misses_find(const struct names *directories, const char *path, struct sysroot_miss *miss);

#endif
