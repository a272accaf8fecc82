/* A hook at the program's entry point: it runs after ld.so and before the program's first instruction, and takes back
   what ld.so alone was to see. */
#ifndef DENIZEN_ENTRY_HOOK_H
#define DENIZEN_ENTRY_HOOK_H

#include "auxv.h"

/* Lies right before the table that AT_PHDR names, where it is found without a variable of ours. */
struct entry_hook {
    /* The program's entry point. */
    uintptr_t entry;
    /* A string in the environment and the one that was there before; null for none. */
    const char *shown;
    const char *given;
    uintptr_t unused;
};

/* Put `shown` into `slot` of the environment until the program begins; the hook then puts back what was there. */
void entry_hook_set(struct entry_hook *hook, const struct process *process, char **slot, const char *shown);

#endif
