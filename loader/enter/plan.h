/* A plan of operations (enter.c has them all): its words, taken one after the other. */
#ifndef DENIZEN_PLAN_H
#define DENIZEN_PLAN_H

#include "mounts.h"

struct plan {
    char **next;
    char **fallback;
    long fallback_count;
    bool quiet;
    const char *as, *at, *given;
    int status;
    char **environment;
};

/* The next word. A plan that lacks one ends the process. */
const char *plan_take(struct plan *plan);
/* A number of at most four digits. */
long plan_number(const char *word);
/* N NAME..., which stay where they are. */
struct names plan_take_names(struct plan *plan);
/* PROGRAM ARGUMENT... A plan without them ends the process. */
char **plan_program(const struct plan *plan);

#endif
