/* Asking denizen for a library, in a process of its own. */
#ifndef DENIZEN_RESIDENT_ASK_H
#define DENIZEN_RESIDENT_ASK_H

#include "../resident.h"
#include "../sys.h"

/* Comes back when the helper has ended; what it did is seen in the directory of links. `needed`: an object's DT_NEEDED
   has the name. */
void ask(const struct resident_facts *facts, const char *name, bool needed);

#endif
