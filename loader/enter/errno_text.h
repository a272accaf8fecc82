/* The kernel's errors, in words. */
#ifndef DENIZEN_ERRNO_TEXT_H
#define DENIZEN_ERRNO_TEXT_H

#include "../text.h"

/* Add the words for an error: a negative errno. */
void errno_text_add(struct text *text, long problem);

#endif
