/* Where packages have commands, and what those may be called. */
#ifndef DENIZEN_COMMAND_NAMES_H
#define DENIZEN_COMMAND_NAMES_H

#include <stdbool.h>

/* Whether it is a name that a command is asked for by (src/denizen/launch/command_links.py). */
bool command_name_is_plain(const char *name);
/* Return the name, if a path is one at which packages have commands; null for any other. */
const char *command_name_in(const char *path);
/* Return the first of those directories, with a slash at its end. */
const char *command_directory(void);

#endif
