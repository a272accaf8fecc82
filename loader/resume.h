/* Between ld.so and the program's first instruction: what ld.so alone was to see is taken back. */
#ifndef DENIZEN_RESUME_H
#define DENIZEN_RESUME_H

#include "auxv.h"

/* Lies right before the table that AT_PHDR names, where it is found without a variable of ours. */
struct resumption {
    /* The program's entry point. */
    uintptr_t entry;
    /* A string in the environment and the one that was there before; null for none. */
    const char *shown;
    const char *given;
    uintptr_t unused;
};

/* Put `shown` into that place of the environment until the program begins, by standing at its entry point. */
void resume_after(struct resumption *resumption, const struct process *process, char **slot, const char *shown);

#endif
