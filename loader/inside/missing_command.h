/* Commands that the host lacks and a package has. */
#ifndef DENIZEN_INSIDE_MISSING_COMMAND_H
#define DENIZEN_INSIDE_MISSING_COMMAND_H

#include "loader_facts.h"

/* Whether a path is one of a command, the host has nothing there, and one could be brought. */
bool command_is_missing(const char *path);
/* A path at which a bare name could be brought that is nowhere along PATH; null if something is there. */
const char *command_beyond_path(const char *name, char *room);
/* A path at which a command is to be brought for who executes `path`, where nothing is; null for none. Programs search
   PATH themselves too (Python's subprocess executes a name in each directory): what is anywhere along it comes before
   what could be brought, and behind its last directory come those in which packages have commands. A command that is
   elsewhere along PATH is executed there: a look may have told in another process that it is where it is executed. */
const char *command_to_bring(const char *path, char *const *environment, char *room);
/* The file of a missing command that was brought before, or is now. Null for none. `room` has
   PATH_ROOM bytes. May be asked in a child of vfork. */
const char *command_brought(const char *path, char *room);
/* Whether a path is in a directory in which packages have commands, and its name may be one's. */
bool command_has_place(const char *path);
/* Whether a command that somebody looks for could be brought, or was; it is not brought now. */
bool command_is_to_be_had(const char *name);
/* Has what fills a place brought (missing_place.h), and tells whether that was tried: it is not where nothing comes, and
   where a helper found before that this program cannot have it. */
bool place_is_brought(const char *place);

#endif
