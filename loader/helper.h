/* Asking denizen to decide. */
#ifndef DENIZEN_HELPER_H
#define DENIZEN_HELPER_H

#include "auxv.h"

/* Run the configured command with the program's path appended; whether it succeeded. False too when
   nothing is configured, in secure execution, and inside a helper. */
bool helper_decides(const struct process *process, const char *program);

#endif
