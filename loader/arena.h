/* Memory that is never given back: the new dynamic section and its strings outlive us. */
#ifndef DENIZEN_ARENA_H
#define DENIZEN_ARENA_H

#include <stddef.h>

struct arena {
    char *next;
    char *end;
};

/* One mapping of untouched zero pages, enough for the largest decision, its tables and a search
   path; only what is used costs anything. */
struct arena arena_make(void);
/* Zeroed, 16-byte aligned. Ends the program when there is no more. */
void *arena_take(struct arena *arena, size_t size);

#endif
