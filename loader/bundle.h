/* A bundle: a program with all that it needs, in a directory of its own or packed into this file
   (docs/decisions/0012). */
#ifndef DENIZEN_BUNDLE_H
#define DENIZEN_BUNDLE_H

#include "decision.h"

/* A file that is nowhere but in memory. */
struct memory_file {
    const char *name;
    int fd;
};

struct bundle {
    /* The directory with its files; null where they are in memory. */
    const char *base;
    const struct memory_file *files;
    size_t count;
};

/* The bundle that this loader is of, by its setting: beside us, or packed into us. Ends the program where it is not
   to be had. */
struct bundle bundle_open(struct arena *arena, struct process *process, const char *own, const char *setting);
/* The path of a file of the bundle; null where it has none of that name. */
const char *bundle_path(struct arena *arena, const struct bundle *bundle, const char *name);
/* A decision of the bundle, every path in it as it is here. False where it is not to be followed. */
bool bundle_decision(struct arena *arena, const struct process *process, const struct bundle *bundle, const char *name,
                     struct decision *decision);
/* The name of the decision about a file of the program's tree, a path without links; null for a file elsewhere. */
const char *bundle_decision_name(struct arena *arena, const struct bundle *bundle, const char *path);

/* Put the arguments in the settings before those of the start. False where they do not fit. */
bool bundle_add_arguments(struct arena *arena, struct process *process, const struct bundle *bundle);

/* unpack/packed.c; a loader without an image has packed_absent.c. */
struct bundle packed_open(struct arena *arena, struct process *process, const char *own, const char *setting);

#endif
