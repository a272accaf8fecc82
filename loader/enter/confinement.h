/* What confines a tool of a tree of packages where no namespace can be made (denizen.fhs.tool_confinement). */
#ifndef DENIZEN_CONFINEMENT_H
#define DENIZEN_CONFINEMENT_H

#include "mounts.h"

/* From here on this process reads and executes below `readable` alone (and reads what /proc tells of it), writes
   below `writable` too, and has neither TCP nor, where the kernel can tell, signals and abstract sockets for others.
   Fails where the kernel cannot do that for truncation as well. Returns a negative errno, and in `call` what
   failed. */
long confinement_enter(const struct names *readable, const struct names *writable, const char **call);

#endif
