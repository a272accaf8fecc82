/* Room to write where denizen's own directories are on a read-only file system. */
#ifndef DENIZEN_WRITABLE_LAYER_H
#define DENIZEN_WRITABLE_LAYER_H

#include "auxv.h"

/* Lay memory over each of them that is read-only, for this process and those it starts: what is decided and brought now
   is theirs, and gone when they end. Nothing where there is no such directory, or no namespace to have. */
void writable_layer_make(const struct process *process);

#endif
