/* What /proc tells of a process that is reported. */
#ifndef DENIZEN_ENTER_EMULATED_PROCESS_H
#define DENIZEN_ENTER_EMULATED_PROCESS_H

#include "../sys.h"
#include "../text.h"

/* The elements of its PATH, each with its end and an empty one behind the last, as far as they have room. */
struct search_path {
    char elements[PATH_ROOM];
};

/* /proc/PROCESS/NAME. */
struct text emulated_process_file(char *room, size_t size, uint32_t process, const char *name);
/* Whether it is an emulator; what others of the program's descendants execute is answered within them. */
bool emulated_process_is(uint32_t process);
/* Write the sysroot that an emulator was given; false where it has none. */
bool emulated_process_sysroot(uint32_t process, struct text *room);
/* The PATH that it was started with; empty where it had none. */
void emulated_process_search_path(uint32_t process, struct search_path *path);
const char *search_path_next(const char *element);

#endif
