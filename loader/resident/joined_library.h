#ifndef DENIZEN_JOINED_LIBRARY_H
#define DENIZEN_JOINED_LIBRARY_H

#include "../resident.h"

/* Return the path of the file that the link of this name leads to, by the table; `otherwise` for a name that it lacks. */
const char *joined_library_path(const struct joined_libraries *table, const char *name, const char *otherwise);

#endif
