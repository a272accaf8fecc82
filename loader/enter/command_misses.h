/* Commands that an emulated program executes, or looks for along PATH, and that are nowhere. */
#ifndef DENIZEN_ENTER_COMMAND_MISSES_H
#define DENIZEN_ENTER_COMMAND_MISSES_H

#include "../inside/command_looker.h"
#include "emulated_process.h"

/* Write into `room` (PATH_ROOM bytes) the place of the command that has to come for `path` to be executed: the path
   itself, or the interpreter that a script there names. False where nothing is missed, or the search goes on. */
bool command_misses_executed(uint32_t process, const char *path, char *room);

/* Searches along PATH that go on; for how many names was asked, and for how many in a row in vain. */
enum { SEARCHES = 8 };
struct searches {
    struct search {
        uint32_t process;
        uint64_t name;
        uint64_t tried;
    } last[SEARCHES];
    unsigned next;
};

/* Whether the look at `path` ends a search for a command that is nowhere along PATH: the same process looked for the same
   name in all elements before. */
bool command_misses_looked_for(struct searches *searches, uint32_t process, const char *path);

/* The looker of a process that is an emulator. */
enum looker command_misses_looker(uint32_t process, const char *program, const char *name);

#endif
