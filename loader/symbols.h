/* The functions of a loaded object. */
#ifndef DENIZEN_SYMBOLS_H
#define DENIZEN_SYMBOLS_H

#include "sys.h"

/* The address of a function in the version a new program would be linked with; 0 for none. */
uintptr_t symbols_find(uintptr_t bias, const Dyn *dynamic, const char *name);

#endif
