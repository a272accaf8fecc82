/* Names of libraries that are missed, and what the directory of links says of them. */
#ifndef DENIZEN_RESIDENT_LIBRARY_NAMES_H
#define DENIZEN_RESIDENT_LIBRARY_NAMES_H

#include <stdbool.h>

/* Below the directory of links: for each name that policy kept out the line to be told (app/run_time/missing_library.py). */
#define KEPT_OUT ".kept-out/"

/* The longest name, or path, that is asked for. */
enum { LIBRARY_NAME_ROOM = 200 };

/* Whether it is a file name as packages have them, of a shared object. Directories of processors' capabilities have a
   slash. */
bool library_name_is_plain(const char *name);

/* Write into `room` (PATH_ROOM bytes) the path of a name in a directory of `opened`, the directory of links with a slash
   at its end; false where that is too long. */
bool library_name_below(char *room, const char *opened, const char *directory, const char *name);

/* Whether a name was asked for in vain, and nothing that kept it out has changed since. */
bool library_name_is_denied(const char *opened, const char *name);

/* Whether no package of any index has the name. Most misses are such: optional parts, other spellings. Those cost
   microseconds, not a helper. */
bool library_name_is_unknown(const char *opened, const char *name);

#endif
