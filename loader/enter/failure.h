/* The kernel's errors, in words. */
#ifndef DENIZEN_FAILURE_H
#define DENIZEN_FAILURE_H

#include "../text.h"

/* Add the words for an error: a negative errno. */
void failure_add(struct text *text, long problem);

#endif
