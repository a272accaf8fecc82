#include "bundle.h"

/* In a loader that is nobody's launcher, of which nothing is asked but what lies beside it. */
struct bundle packed_open(struct arena *arena, struct process *process, const char *own, const char *setting)
{
    (void)arena;
    (void)process;
    (void)setting;
    fail(own, ": this loader has no image in it", (char *)0);
}
