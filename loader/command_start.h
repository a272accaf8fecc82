/* Starts of commands: by the name of the file that we are. */
#ifndef DENIZEN_COMMAND_START_H
#define DENIZEN_COMMAND_START_H

#include "start.h"

/* We lie where a command should be that this host does not have, or are told its path: the first to execute it has it
   brought. */
_Noreturn void command_start_brought(struct start *start, const char *commands);
/* We are a command of a profile (docs/decisions/0011). What an attacker's process with others' rights asks for is
   not decided, and what was decided for the user is not believed (decision.c). */
_Noreturn void command_start_installed(struct start *start);

#endif
