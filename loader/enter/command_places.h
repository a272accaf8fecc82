/* Loaders in the places of commands, made while a program runs: in its namespace, in a mirror (mounts.h). */
#ifndef DENIZEN_ENTER_COMMAND_PLACES_H
#define DENIZEN_ENTER_COMMAND_PLACES_H

#include "../sys.h"
#include "../text.h"

struct command_places {
    const char *links;    /* the directory of links to commands */
    const char *stand_in; /* the loader in the place of one command */
    const char *stage;    /* an empty directory, over which a mirror is made */
};

/* Enter the namespace of mounts in which a process is, so as to show files there. */
void command_places_enter(uint32_t process);

/* Show the loader at a command's path that is not there, if names can be made there, or a mirror in which they can. */
void command_places_show(const struct command_places *places, const char *path);

#endif
