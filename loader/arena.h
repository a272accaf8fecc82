/* Memory that is never freed: the new dynamic section and its strings outlive the loader. */
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
/* Return zeroed memory, 16-byte aligned. Ends the program when there is none left. */
void *arena_take(struct arena *arena, size_t size);
/* Return the string with `origin` for each token for the program's directory ($ORIGIN, ${ORIGIN}). */
const char *arena_expanded(struct arena *arena, const char *string, const char *origin);

#endif
