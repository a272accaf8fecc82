/* The table of a directory that has a decision's libraries and what came later (src/denizen/launch/joined_libraries.py):
   what each of its links leads to, so that opening one does not cost a link. */
#ifndef DENIZEN_JOINED_LIBRARIES_H
#define DENIZEN_JOINED_LIBRARIES_H

#include "arena.h"
#include "resident.h"

/* Return the table of the directory, if it was made for the decision's libraries in `search`; else null. */
const struct joined_libraries *joined_libraries_read(struct arena *arena, const char *directory, const char *search);

#endif
