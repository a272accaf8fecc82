/* Whether the process has put itself into a sandbox since it was started. */
#ifndef DENIZEN_RESIDENT_ENTERED_SANDBOX_H
#define DENIZEN_RESIDENT_ENTERED_SANDBOX_H

#include "../sys.h"

struct sandbox {
    /* As /proc/self/status tells them: the mode, and the filters (0 where the kernel does not count them). */
    uint32_t mode;
    uint32_t filters;
};

struct sandbox sandbox_begin(void);
/* A filter may end a process for starting another one. Without /proc nobody can tell, and nobody starts one. */
bool sandbox_is_as(const struct sandbox *first);

#endif
