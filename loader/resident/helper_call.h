/* Asking denizen for a library, in a process of its own. */
#ifndef DENIZEN_RESIDENT_HELPER_CALL_H
#define DENIZEN_RESIDENT_HELPER_CALL_H

#include "../resident.h"
#include "../sys.h"

/* Comes back when the helper has ended; what it did is seen in the directory of links. `option` says what the name is:
   `--needed` by an object that is open, `--missed` in dlopen, the path of a file that `--mentioned` such places. */
void call_helper(const struct resident_facts *facts, const char *option, const char *name);

#endif
