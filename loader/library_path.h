/* The LD_LIBRARY_PATH that a program was started with, as denizen names and keeps it. */
#ifndef DENIZEN_LIBRARY_PATH_H
#define DENIZEN_LIBRARY_PATH_H

#include "arena.h"
#include "auxv.h"
#include "text.h"

/* Return a given value in absolute paths, separated by colons; null for none, and where the working directory is not
   known. */
const char *library_path_of(struct arena *arena, const char *given);
/* Add what the directory of decisions for this value is called by (denizen.launch.decisions.decision_variants). */
void library_path_key(struct arena *arena, const char *path, struct text *name);

#endif
