/* Asking denizen to decide. */
#ifndef DENIZEN_HELPER_H
#define DENIZEN_HELPER_H

#include "auxv.h"

/* HELPER_REFUSED: it decided that the program cannot be started, and said why. */
enum helper_answer { HELPER_ABSENT, HELPER_REFUSED, HELPER_SUCCEEDED };

/* Run the configured command with the LD_LIBRARY_PATH (null for none) and the program's path appended, in an
   environment built from nothing. It is absent when nothing is configured, inside a helper, and in a process that has
   other rights than the one who started it: there a decision is only looked up. */
enum helper_answer helper_decides(const struct process *process, const char *library_path, const char *program);
/* Whether it does likewise for the path of a command that is not here. */
bool helper_brings(const struct process *process, const char *path);
/* Whether nobody is asked because the process may not go where the decisions are, or they are somebody else's, or it may
   not run the helper. */
bool helper_is_closed(const struct process *process, const char *helper);

#endif
