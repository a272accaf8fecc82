/* Looks for a command along PATH, by programs that execute it only where they saw it (docs/decisions/0016). */
#ifndef DENIZEN_INSIDE_COMMAND_SEARCH_H
#define DENIZEN_INSIDE_COMMAND_SEARCH_H

/* An executable file in the place of a path at which the host has nothing, if the look there ends a search for a
   command that could be brought; null for none. The command itself comes when it is executed. */
const char *command_search_answer(const char *path);
/* The file of a command, which comes now if need be, for who reads at a path that a look told of, and at which the host
   has nothing; null for none. `room` has PATH_ROOM bytes. */
const char *command_to_read(const char *path, char *room);

#endif
