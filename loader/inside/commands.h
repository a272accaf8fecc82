/* Commands that the host lacks and a package has. */
#ifndef DENIZEN_INSIDE_COMMANDS_H
#define DENIZEN_INSIDE_COMMANDS_H

#include "known.h"

/* Whether a path is one of a command, the host has nothing there, and one could be brought. */
bool command_is_missing(const char *path);
/* A path at which a bare name could be brought that is nowhere along PATH; null if something is there. */
const char *command_beyond_path(const char *name, char *room);
/* The file of a missing command that was brought before, or is now where `brings` says so. Null for none. `room` has
   PATH_ROOM bytes. May be asked in a child of vfork. */
const char *command_brought(const char *path, bool brings, char *room);

#endif
