/* Programs of the host whose work is to start others. */
#ifndef DENIZEN_STARTERS_H
#define DENIZEN_STARTERS_H

#include "text.h"

/* Whether the last name of a path is one of these strings, which lie one after the other, the last one empty; a `*` at
   the end of one is for any text. */
bool names_have(const char *names, const char *path);
/* Whether a program of the host's is a shell, a language (of any version) or another one that starts what it is told.
   A library of ours goes with it, for what it starts may be foreign. The rest is left alone. */
bool starters_have(const char *path);

#endif
