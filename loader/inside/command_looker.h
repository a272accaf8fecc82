/* For whom a program looks for a command along PATH: for itself, for a script, for a word of its own arguments. */
#ifndef DENIZEN_INSIDE_COMMAND_LOOKER_H
#define DENIZEN_INSIDE_COMMAND_LOOKER_H

enum looker { PROGRAM, SCRIPT, ARGUMENT };

/* A program's words as far as they are on the first page, each with its end, and an empty one behind the last. */
enum { ARGUMENTS_ROOM = 4096 };
struct arguments {
    const char *first;
    char words[ARGUMENTS_ROOM + 2];
};

/* Read them from a file like /proc/self/cmdline. */
void arguments_read(struct arguments *arguments, const char *file);
/* The word behind another; the empty one behind the last. */
const char *arguments_next(const char *word);
/* Leave out those of an emulator, which end with `--`. */
void arguments_leave_emulator(struct arguments *arguments);

/* The looker of the program with this path and these arguments, when it looks for the name.
   What each may see: src/denizen/app/run_time/looked_for_command.py. */
enum looker looker_of(const struct arguments *arguments, const char *program, const char *name);

/* The option of `decide` that tells of the looker. */
const char *looker_option(enum looker looker);

#endif
