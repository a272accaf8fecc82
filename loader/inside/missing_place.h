/* Directories that programs list, and files that they look for, which a package would fill. */
#ifndef DENIZEN_INSIDE_MISSING_PLACE_H
#define DENIZEN_INSIDE_MISSING_PLACE_H

#include "path_redirection.h"

/* Where a path leads that the program looked at in vain, if it is one of the places that rules name, or below one, and
   what fills that was brought now; null for no such path, and where nothing came. `room` has PATH_ROOM bytes. */
const char *missing_place_answer(const char *path, char *room);

#endif
