/* What lies unpacked in the cache and is used no more. */
#ifndef DENIZEN_COLLECT_H
#define DENIZEN_COLLECT_H

#include "../sys.h"

/* Remove what killed processes left a day ago, and the objects that no start used for thirty days and no process uses
   now; eight at most. `own` is not looked at. `now` is by the file system's clock. */
void collect(int above, const char *own, int64_t now);
/* Note, once a day, that an object is used: its directory gets a new time. True if it was noted now: it is to be opened
   again then, since a collection may have come before. */
bool collect_note_use(int above, int object, const struct arch_stat *facts);
void collect_remove(int above, const char *name);

#endif
