/* Provide a library that ld.so did not find. */
#ifndef DENIZEN_RESIDENT_MISSING_LIBRARY_H
#define DENIZEN_RESIDENT_MISSING_LIBRARY_H

#include "../resident.h"
#include "../sys.h"
#include "link_map.h"

/* Once, before the program's first instruction: what is to be compared with later. */
void missing_library_prepare(void);
/* See to it that `path`, below the directory of what was opened, is there if anybody has it; `asker` searches. False for
   the name of a library that is missed nevertheless. */
bool missing_library(const struct resident_facts *facts, const char *path, const struct link_map *asker);

/* Whether another process may still be started: nothing was put around this one since missing_library_prepare. */
bool missing_library_may_ask(void);

/* Return the name that a path in a default directory ends with; null for a path elsewhere. */
const char *missing_library_default_name(const char *path);

/* Have the file shown at a path below [/usr]/lib that is not there, if a package has it just there: a driver or a plugin
   that a program opens by its path. */
void missing_library_at(const struct resident_facts *facts, const char *path);

#endif
