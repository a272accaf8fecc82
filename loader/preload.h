/* What LD_PRELOAD names, which belongs to the host, in a program that has libraries of its own. */
#ifndef DENIZEN_PRELOAD_H
#define DENIZEN_PRELOAD_H

#include "decision.h"

enum { MAX_PRELOAD_NEEDS = 64 };

/* What ld.so is to see: `slot` of the environment holds `shown` until the program begins. Null for no change.
   `needs` are libraries of the host that something preloaded asks for, to be loaded by path. */
struct preload {
    char **slot;
    const char *shown;
    size_t count;
    const char *needs[MAX_PRELOAD_NEEDS];
};

/* Look at each object LD_PRELOAD names: find what it needs, or leave it out and say why. ld.so ends the program where
   something preloaded lacks a library or a version. `origin` is what $ORIGIN means when /proc/self/exe does not tell;
   else null. */
void preload_settle(struct arena *arena, const struct process *process, const struct decision *decision,
                    const char *origin, struct preload *preload);

#endif
