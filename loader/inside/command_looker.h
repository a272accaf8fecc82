/* For whom a program looks for a command along PATH: for itself, for a script, for a word of its own arguments. */
#ifndef DENIZEN_INSIDE_COMMAND_LOOKER_H
#define DENIZEN_INSIDE_COMMAND_LOOKER_H

enum looker { PROGRAM, SCRIPT, ARGUMENT };

/* The looker of the program with this path and its arguments (/proc/self/cmdline), when it looks for the name.
   What each may see: src/denizen/app/run_time/looked_for_command.py. */
enum looker looker_of(const char *program, const char *name);

/* The option of `decide` that tells of the looker. */
const char *looker_option(enum looker looker);

#endif
