/* Asking denizen to decide. */
#ifndef DENIZEN_HELPER_H
#define DENIZEN_HELPER_H

#include "auxv.h"

/* Run the configured command with the LD_LIBRARY_PATH (null for none) and the program's path appended, in an environment built from nothing; whether it
   succeeded. False too when nothing is configured, inside a helper, and in a process that has other rights than
   the one who started it: there a decision is only looked up. */
bool helper_decides(const struct process *process, const char *library_path, const char *program);
/* Likewise for the path of a command that is not here. */
bool helper_brings(const struct process *process, const char *path);

#endif
