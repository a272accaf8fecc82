/* What is known of a command by its name: files in the directory of links to commands (src/denizen/launch/command_links.py). */
#ifndef DENIZEN_COMMAND_RECORDS_H
#define DENIZEN_COMMAND_RECORDS_H

#include "inside/command_looker.h"

#include <stdbool.h>

/* Write into `room` (PATH_ROOM bytes) the path of a name in a directory of `commands`; false where it is too long. */
bool command_record_below(char *room, const char *commands, const char *directory, const char *name);
bool command_is_marked(const char *commands, const char *directory, const char *name);
/* Write into `room` where the link of the name leads; false if that is not there. */
bool command_is_linked(const char *commands, const char *name, char *room);
/* Nobody has it, or policy keeps it out and nothing has changed that. */
bool command_is_absent(const char *commands, const char *name);
bool command_is_seen(const char *commands, const char *name, enum looker looker);
/* Whether who looks for it sees it is settled. */
bool command_is_judged(const char *commands, const char *name, enum looker looker);

#endif
